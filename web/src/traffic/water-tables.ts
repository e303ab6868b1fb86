/** The tables of a run about water on roads: what to reopen, when help comes, where people go, who is cut off. */

import { readItems } from "../api";
import { type Child, h } from "../dom";
import { formatFixed, formatLength, formatNumber, formatShortDateTime } from "../format";
import { t } from "../i18n";
import { itemButton } from "../panels/item-button";
import { section } from "../panels/parts";
import { longTable, table } from "../panels/table";
import type { Item, Run, ZoomToItem } from "../types";
import type { AccessSummary, WardRow } from "./access-words";
import { formatMinutes } from "./minutes";

const REOPENINGS = "road_reopenings";
const AREAS = "cut_off_areas";
const PLACES = "access_places";
const MOST = "1000";
const MOST_AREAS = "50";

const people = (count: unknown): string => formatNumber(typeof count === "number" ? count : null, 0);
const metres = (length: unknown): string => formatLength(typeof length === "number" ? length : null);
const nameOf = (value: unknown, otherwise: string): string => (value ? String(value) : otherwise);

/** What names a row, and a word more under it. */
const twoLines = (name: Child, more: Child): HTMLElement =>
  h("div", { class: "two-lines" }, h("span", {}, name), more ? h("span", { class: "soft" }, more) : null);

function zoomButton(layer: string, item: Item, name: string, zoomToItem: ZoomToItem): HTMLElement {
  const go = (): void => zoomToItem(layer, item.id, item.geometry);
  return h("button", { type: "button", class: "link-button", onclick: go }, name);
}

/** In which order to reopen roads: one row a step, the stretch with the most people first of several. */
export async function reopeningPart(run: Run, zoomToItem: ZoomToItem): Promise<HTMLElement | null> {
  const { features } = await readItems(REOPENINGS, { run_id: run.id, sortby: "step", limit: MOST });
  const steps = new Map<number, Item>();
  for (const item of features) {
    const step = Number(item.properties["step"]);
    if (!steps.has(step)) steps.set(step, item);
  }
  if (steps.size === 0) return null;
  const rows = [...steps].map(([step, item]): Child[] => [
    zoomButton(
      REOPENINGS,
      item,
      `${step}. ${nameOf(item.properties["name"], String(item.properties["road_id"]))}`,
      zoomToItem,
    ),
    metres(item.properties["step_length"]),
    people(item.properties["people"]),
    people(item.properties["people_total"]),
  ]);
  const headings = [t("water.road"), t("measure.length"), t("water.reconnected"), t("water.total")];
  return section(t("water.reopen"), h("p", { class: "soft" }, t("water.reopenHint")), longTable(headings, rows));
}

/** Which cells are cut off, the fullest first, and what connects them again. */
export async function areasPart(run: Run, zoomToItem: ZoomToItem): Promise<HTMLElement | null> {
  const query = { run_id: run.id, sortby: "-people_cut_off", limit: MOST_AREAS };
  const { features } = await readItems(AREAS, query);
  const cut = features.filter(({ properties }) => Number(properties["people_cut_off"]) > 0);
  if (cut.length === 0) return null;
  const rows = cut.map((item): Child[] => {
    const { area_id, people_cut_off, cut_from, reopen_road } = item.properties;
    return [
      twoLines(
        zoomButton(AREAS, item, String(area_id), zoomToItem),
        reopen_road ? t("water.opens", { road: String(reopen_road) }) : null,
      ),
      people(people_cut_off),
      cut_from ? formatShortDateTime(String(cut_from)) : "–",
    ];
  });
  return section(t("water.areas"), longTable([t("water.area"), t("water.cutPeople"), t("water.cutFrom")], rows));
}

/** Which hospitals, schools and stations nobody reaches. */
export async function placesPart(run: Run, zoomToItem: ZoomToItem): Promise<HTMLElement | null> {
  const filter = "state <> 'reachable' AND category IN ('hospital', 'school', 'fire_station', 'shelter')";
  const { features } = await readItems(PLACES, { run_id: run.id, filter, limit: MOST });
  if (features.length === 0) return null;
  const rows = features.map((item): Child[] => {
    const { name, place_id, category, state, depth } = item.properties;
    return [
      twoLines(
        zoomButton(PLACES, item, nameOf(name, String(place_id)), zoomToItem),
        t(`place.${category as "hospital"}`),
      ),
      t(`placeState.${state as "flooded"}`),
      typeof depth === "number" && depth > 0 ? `${formatFixed(depth, 2)} m` : "–",
    ];
  });
  return section(t("water.lostPlaces"), longTable([t("water.place"), t("water.state"), t("water.depth")], rows));
}

export function respondersPart({ responders }: Partial<AccessSummary>): HTMLElement | null {
  const services = Object.entries(responders ?? {});
  if (services.length === 0) return null;
  const rows = services.flatMap(([name, { before, under_water: after }]): Child[][] => [
    [t(`service.${name as "fire"}`)],
    [t("water.median"), formatMinutes(before.median), formatMinutes(after.median)],
    [t("water.within8"), people(before.within_8_min), people(after.within_8_min)],
    [t("water.within15"), people(before.within_15_min), people(after.within_15_min)],
    [t("water.notReached"), people(before.people_not_reached), people(after.people_not_reached)],
  ]);
  return section(t("water.responders"), table(["", t("water.before"), t("water.after")], rows));
}

export function sheltersPart({ evacuation }: Partial<AccessSummary>, zoomToItem: ZoomToItem): HTMLElement | null {
  if (!evacuation || evacuation.people === 0) return null;
  const problem = h("div");
  const shelters = [...evacuation.shelters].sort((a, b) => b.load - a.load);
  const rows = shelters.map(({ id, name, capacity, load, flooded }): Child[] => [
    twoLines(
      itemButton("places", id, zoomToItem, problem, name ?? id),
      flooded ? t("placeState.flooded") : loadBar(load, capacity),
    ),
    people(load),
    people(capacity),
  ]);
  const { people: all, sheltered, left } = evacuation;
  const words = t("water.evacuees", { all: people(all), sheltered: people(sheltered), left: people(left) });
  return section(
    t("water.shelters"),
    h("p", { class: left > 0 ? "field-error" : "soft" }, words),
    rows.length > 0 ? longTable([t("water.shelter"), t("water.load"), t("water.capacity")], rows) : null,
    problem,
  );
}

function loadBar(load: number, capacity: number): HTMLElement {
  const share = capacity > 0 ? Math.min(load / capacity, 1) : 0;
  const words = `${formatNumber(share * 100, 0)} %`;
  return h(
    "meter",
    { class: "load", min: 0, max: 1, value: share, high: 0.9, title: words, "aria-label": words },
    words,
  );
}

export function detoursPart({ detours }: Partial<AccessSummary>): HTMLElement | null {
  if (!detours || detours.rows.length === 0) return null;
  const rows = detours.rows.map(({ from, to, before, after, after_to }): Child[] => [
    twoLines(from, to === after_to || !after_to ? to : `${to} → ${after_to}`),
    formatMinutes(before),
    after === null ? t("water.noWay") : formatMinutes(after),
  ]);
  return section(t("water.detours"), longTable([t("water.from"), t("water.before"), t("water.after")], rows));
}

export function wardsPart({ wards }: Partial<AccessSummary>): HTMLElement | null {
  const cut = (wards ?? []).filter((ward) => ward.cut_off > 0 || isSlower(ward));
  if (cut.length === 0) return null;
  const arrival = (ward: WardRow, when: string): string => formatMinutes(numberOf(ward[`ambulance_${when}`]));
  const rows = cut.map((ward): Child[] => [
    ward.name,
    people(ward.cut_off),
    arrival(ward, "before"),
    ward["ambulance_under_water"] === null ? t("water.noWay") : arrival(ward, "under_water"),
  ]);
  return section(
    t("water.wards"),
    longTable([t("water.ward"), t("water.cutPeople"), t("water.ambulanceBefore"), t("water.ambulanceAfter")], rows),
  );
}

const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** Whether help takes a minute more, or does not come any more. */
function isSlower(ward: WardRow): boolean {
  const [before, after] = [numberOf(ward["ambulance_before"]), numberOf(ward["ambulance_under_water"])];
  return before !== null && (after === null || after - before >= 60);
}
