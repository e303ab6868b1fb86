/** What water on roads takes away: the form, the run's roads and areas on the map, its figures and lists. */

import type { Map as MapView } from "maplibre-gl";
import { readRun, toIso } from "../api";
import { drawChart } from "../chart";
import { runs as floods } from "../data";
import { type Child, h, replace } from "../dom";
import { formatFixed, formatLength, formatNumber, formatShortDateTime, parseMoment } from "../format";
import { say, t } from "../i18n";
import { runLayers } from "../networks/run-layers";
import { makeRunPage } from "../networks/run-page";
import { showRunLayers } from "../networks/runs";
import { figure, section } from "../panels/parts";
import { table } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState, setState } from "../state";
import type { Run, VectorLayer, ZoomToItem } from "../types";
import type { AccessStep, AccessSummary } from "./access-words";
import { showWater } from "./conditions";
import { makeRunForm } from "./run-form";
import { followRoads, ROADS, roadLegend } from "./water-map";
import {
  areasPart,
  detoursPart,
  placesPart,
  reopeningPart,
  respondersPart,
  sheltersPart,
  wardsPart,
} from "./water-tables";

const PROCESS = "flood-access";
const CLOSED_COLOR = "#c8372d";
const CUT_COLOR = "#8d1c6b";

/** How many of a kind of place are under water or cut off, of how many. */
function lostPlaces(summary: Partial<AccessSummary>, category: string): string | null {
  const found = summary.places?.[category];
  return found ? t("water.of", { lost: found.flooded + found.cut_off, all: found.count }) : null;
}

function figuresPart(summary: Partial<AccessSummary>): HTMLElement {
  const { roads, people, stops, cells } = summary;
  const hospitals = lostPlaces(summary, "hospital");
  const schools = lostPlaces(summary, "school");
  const cell = (name: string): string | null => {
    const found = cells?.[name];
    return found ? t("water.of", { lost: formatNumber(found.cut_off, 0), all: formatNumber(found.count, 0) }) : null;
  };
  const healthcare = hospitals ? null : cell("healthcare");
  const taught = schools ? null : cell("schools");
  const lost = stops?.count
    ? t("water.of", { lost: formatNumber(stops.lost, 0), all: formatNumber(stops.count, 0) })
    : null;
  const noHospital = people?.no_hospital;
  return h(
    "div",
    { class: "figures" },
    figure("road", t("water.closedLength"), formatLength(roads?.closed_length)),
    figure("people", t("water.cutOff"), formatNumber(people?.cut_off, 0)),
    figure("clock", t("water.slowLength"), formatLength(roads?.slow_length)),
    typeof noHospital === "number" ? figure("warning", t("water.noHospital"), formatNumber(noHospital, 0)) : null,
    lost ? figure("pin", t("water.stopsLost"), lost) : null,
    hospitals ? figure("plus", t("water.hospitals"), hospitals) : null,
    schools ? figure("building", t("water.schools"), schools) : null,
    healthcare ? figure("plus", t("water.healthcare"), healthcare) : null,
    taught ? figure("building", t("water.schools"), taught) : null,
  );
}

function modesPart({ roads }: Partial<AccessSummary>): HTMLElement | null {
  const rows = (roads?.by_mode ?? []).map(({ mode, closed_from_depth, closed_length }): Child[] => [
    t(`mode.${mode as "car"}`),
    `${formatFixed(closed_from_depth, 2)} m`,
    formatLength(closed_length),
  ]);
  return rows.length > 0 ? table([t("traffic.mode"), t("water.closedFrom"), t("water.closedLength")], rows) : null;
}

/** Closed roads and people cut off over the time of the flood. */
function coursePart(steps: readonly AccessStep[]): HTMLElement | null {
  if (steps.length < 2) return null;
  const times = steps.map(({ time }) => Date.parse(time) / 1000);
  const charts: [string, string, string, (number | null)[]][] = [
    [t("water.closedLength"), "km", CLOSED_COLOR, steps.map((step) => step.closed_length / 1000)],
    [t("water.cutOff"), "", CUT_COLOR, steps.map((step) => step.cut_off)],
  ];
  const holders = charts.map(([label, unit, color, values]) => {
    const holder = h("div", { class: "chart" });
    const series = [{ label, color, values, fill: true }];
    requestAnimationFrame(() => void drawChart(holder, { times, series, unit, label, height: 120 }));
    return h("div", {}, h("h4", { class: "part-title" }, unit ? `${label} [${unit}]` : label), holder);
  });
  return section(t("water.course"), ...holders);
}

/** Say of which water the figures are, and what is not known of it. */
function waterNote(run: Run, { water, roads, mode }: Partial<AccessSummary>): HTMLElement {
  const moment = water?.time_shown ? formatShortDateTime(water.time_shown) : null;
  const flood = floods?.find(({ id }) => id === water?.run);
  const words = [
    water?.stage == null
      ? say(flood?.title, water?.run ?? "")
      : t("water.stage", { stage: formatFixed(water.stage, 2) }),
    moment ? t("water.shownAt", { time: moment }) : null,
    mode ? t(`mode.${mode as "car"}`) : null,
  ];
  const unknown = roads?.unknown_length ?? 0;
  return h(
    "div",
    {},
    h("p", { class: "soft note" }, words.filter(Boolean).join(" · ")),
    unknown > 0 ? h("p", { class: "soft note" }, t("water.unknown", { length: formatLength(unknown) })) : null,
    run.message ? h("p", { class: "soft note" }, run.message) : null,
  );
}

/** Build the part. */
export function waterPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const form = makeRunForm(PROCESS);
  const roads = followRoads(map);
  let follows = false;
  let linked = getState().time ? getState().networkRun : null;

  /** The water that a run was computed with is drawn under its roads. */
  const drawWater = (id: string, { water }: Partial<AccessSummary>): void => {
    const moment = parseMoment(water?.time_shown);
    // A link says itself which moment it shows.
    if (water?.run) showWater(water.run, moment && id !== linked ? toIso(moment) : null);
    else setState({ product: "none" });
    linked = id;
    roads.setFollowing(follows && (water?.steps ?? 0) > 1);
  };
  const clockField = (steps: number): HTMLElement | null => {
    if (steps < 2) return null;
    const box = h("input", { type: "checkbox", name: "follow-clock" });
    box.checked = follows;
    box.addEventListener("change", () => {
      follows = box.checked;
      roads.setFollowing(follows);
    });
    return h("label", { class: "option" }, box, h("span", {}, t("water.follow")));
  };
  const build = async (run: Run, layers: VectorLayer[]): Promise<HTMLElement> => {
    const summary = (run.summary ?? {}) as unknown as Partial<AccessSummary>;
    drawWater(run.id, summary);
    const lists = await Promise.all([
      reopeningPart(run, zoomToItem),
      placesPart(run, zoomToItem),
      areasPart(run, zoomToItem),
    ]);
    const [reopening, places, areas] = lists;
    return h(
      "div",
      {},
      waterNote(run, summary),
      section(t("flood.figures"), figuresPart(summary)),
      section(t("water.roads"), roadLegend(), clockField(summary.water?.steps ?? 0)),
      reopening,
      respondersPart(summary),
      places,
      sheltersPart(summary, zoomToItem),
      detoursPart(summary),
      areas,
      wardsPart(summary),
      coursePart(summary.people?.steps ?? []),
      section(t("water.byMode"), modesPart(summary)),
      runLayers(
        run.id,
        layers.filter(({ id }) => id !== ROADS),
      ),
    );
  };
  return makeRunPage({
    isOpen: () => getState().traffic === "water" && getState().tab === "traffic",
    isWanted: (process) => process === PROCESS,
    none: () => h("p", { class: "soft" }, t("water.noRuns")),
    head: form.element,
    update: (runs) => {
      form.update(runs.length > 0);
      const box = form.element.querySelector<HTMLInputElement>("[name=run]");
      if (box && !box.list) offerRuns(box);
    },
    read: async ({ id, process }) => {
      const [run, layers] = await Promise.all([readRun(id), showRunLayers(id, process)]);
      return build(run, layers);
    },
  });
}

/** Offer the runs of floods where one is asked for. */
function offerRuns(box: HTMLInputElement): void {
  const list = h("datalist", { id: "flood-runs" });
  replace(
    list,
    ...(floods ?? []).map(({ id, title, process, base_time, created }) =>
      h("option", { value: id }, `${say(title, process)} · ${formatShortDateTime(base_time ?? created)}`),
    ),
  );
  box.setAttribute("list", list.id);
  box.after(list);
}
