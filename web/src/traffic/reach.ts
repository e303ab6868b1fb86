/** How far one comes: areas within some minutes of a place, with the people and places in them. */

import type { Map as MapView } from "maplibre-gl";
import { askProcess } from "../api";
import { findVectorLayer } from "../data";
import { type Child, h, replace } from "../dom";
import { formatArea, formatLength, formatNumber } from "../format";
import { explain, say, t } from "../i18n";
import { stopAiming } from "../map/aim";
import { drawFlags, drawNetwork } from "../map/network";
import { bringInView } from "../map/pick";
import { answerButtons } from "../networks/answer";
import { splitPlace } from "../networks/places";
import { empty, section, swatch, textButton } from "../panels/parts";
import { codeTitle, longTable, table } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState, watch } from "../state";
import { makeAsker } from "./asker";
import { changeJourney, field, makeConditions } from "./conditions";
import { MOST_POINTS, readMinutes, toConditions } from "./journey";
import { makePoints } from "./points";
import { absent, findProcess } from "./run-form";
import { findBounds, readOutput } from "./ways";

/** Colours of the areas, the nearest first. */
const COLORS = ["#0b5d4e", "#2f8f6b", "#7cb66a", "#d9c25a", "#e08a3c", "#b9402f"] as const;
const START = "#0b7a3b";

const colorAt = (index: number, count: number): string =>
  COLORS[Math.round((index * (COLORS.length - 1)) / Math.max(count - 1, 1))] ?? COLORS[0];

interface Band {
  minutes: number;
  area?: number;
  length?: number;
  people?: number | null;
  places?: number | Record<string, number> | null;
}

const PROPERTY = "reached_within";

/** Return the areas, the nearest first. */
const sortBands = (areas: GeoJSON.Feature[]): GeoJSON.Feature[] =>
  [...areas].sort((a, b) => Number(a.properties?.[PROPERTY]) - Number(b.properties?.[PROPERTY]));

/** Each area lies in the next: the widest is drawn first. */
function drawBands(areas: readonly GeoJSON.Feature[]): GeoJSON.Feature[] {
  return areas
    .map((area, index): GeoJSON.Feature => {
      const color = colorAt(index, areas.length);
      return { ...area, properties: { color, opacity: 0.32, layer_id: undefined } };
    })
    .reverse();
}

function bandTable(areas: readonly GeoJSON.Feature[], summary: { isochrones?: Band[] }): HTMLElement {
  const rows = areas.map((area, index): Child[] => {
    const { area: size, people, places } = area.properties ?? {};
    const minutes = Number(area.properties?.[PROPERTY]) / 60;
    const band = summary.isochrones?.find((one) => one.minutes === minutes);
    const mark = h("span", { class: "row" }, swatch(colorAt(index, areas.length)), `${formatNumber(minutes, 0)}`);
    return [
      mark,
      formatArea(size as number),
      formatNumber(people as number, 0),
      formatNumber(places as number, 0),
      ...(band?.length === undefined ? [] : [formatLength(band.length)]),
    ];
  });
  const hasLength = summary.isochrones?.some(({ length }) => length !== undefined);
  const headings = [t("reach.minutes"), t("flood.area"), t("flood.people"), t("reach.places")];
  return table(hasLength ? [...headings, t("reach.roads")] : headings, rows);
}

/** Places by their kind, a column each area. */
function placeTable(bands: readonly Band[]): HTMLElement | null {
  const counts = bands.map(({ places }) => (places && typeof places === "object" ? places : {}));
  const kinds = [...new Set(counts.flatMap(Object.keys))];
  if (kinds.length === 0) return null;
  const last = counts.at(-1) ?? {};
  kinds.sort((a, b) => (last[b] ?? 0) - (last[a] ?? 0));
  const title = (kind: string): string =>
    findVectorLayer("places") ? codeTitle("places", "category", kind) : say(null, kind);
  const rows = kinds.map((kind): Child[] => [title(kind), ...counts.map((count) => formatNumber(count[kind] ?? 0, 0))]);
  const headings = bands.map(({ minutes }) => `${formatNumber(minutes, 0)} ${t("traffic.minutesShort")}`);
  return section(t("reach.byKind"), longTable([t("water.category"), ...headings], rows));
}

/** Build the part. */
export function reachPart(map: MapView): Part {
  const conditions = makeConditions();
  const minutes = h("div");
  const missing = h("div");
  const asker = makeAsker(() => drawNetwork(map, null));
  const isOpen = (): boolean => getState().tab === "traffic" && getState().traffic === "reach";
  const points = makePoints(map, {
    get: () => getState().journey.origins,
    set: (origins) => changeJourney({ origins }),
    add: (all, word) => [...all, word],
    label: (index) => t("reach.origin", { number: index + 1 }),
    invite: (count) => t(count === 0 ? "reach.pick" : "reach.pickAnother"),
    most: MOST_POINTS,
  });

  const showMinutes = (): void => {
    const { journey } = getState();
    const box = h("input", {
      class: "input",
      name: "minutes",
      inputmode: "numeric",
      autocomplete: "off",
      onchange: () => {
        const wanted = readMinutes(box.value);
        box.setAttribute("aria-invalid", String(wanted.length === 0));
        if (wanted.length > 0) changeJourney({ minutes: wanted });
      },
    });
    box.value = journey.minutes.join(", ");
    const clear = textButton(t("network.clear"), () => changeJourney({ origins: [] }), "button-small");
    replace(
      minutes,
      field(t("reach.minutesHint"), box),
      journey.origins.length > 0 ? h("div", { class: "row" }, clear) : null,
    );
  };
  const answer = async (signal: AbortSignal): Promise<HTMLElement> => {
    const { journey } = getState();
    const inputs = {
      origins: journey.origins.map(splitPlace),
      minutes: journey.minutes,
      ...toConditions(journey, true),
    };
    const results = await askProcess("isochrone", inputs, signal);
    const summary = (results["summary"]?.value ?? {}) as { isochrones?: Band[] };
    const areas = sortBands(await readOutput(results["isochrones"], signal));
    const bounds = findBounds(areas);
    drawNetwork(map, { features: drawBands(areas), tiles: [] });
    if (bounds) bringInView(map, bounds);
    return h(
      "div",
      { class: "answer" },
      answerButtons(map, { bounds }),
      areas.length > 0 ? bandTable(areas, summary) : empty(t("network.nothing")),
      placeTable(summary.isochrones ?? []),
    );
  };
  const update = (): void => {
    if (!isOpen()) return;
    const { origins } = getState().journey;
    points.update();
    showMinutes();
    drawFlags(
      map,
      origins.map((word, index) => ({ place: splitPlace(word), label: String(index + 1), color: START })),
    );
    asker.ask(origins.length > 0 ? answer : null);
    if (origins.length === 0 && getState().panelOpen) points.start();
  };
  const show = (): void => {
    update();
    findProcess("isochrone").then(
      (process) => replace(missing, process ? null : absent()),
      (error: unknown) => replace(missing, empty(explain(error))),
    );
  };
  watch(["journey", "lang"], update);
  const form = h("div", { class: "form network-form" }, points.element, minutes, conditions.element);
  return { element: h("div", {}, missing, form, asker.element), show, hide: () => stopAiming(map) };
}
