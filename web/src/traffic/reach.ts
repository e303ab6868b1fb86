/** How far one comes: areas within some minutes of a place, with the people and places in them. */

import type { Map as MapView } from "maplibre-gl";
import { askProcess } from "../api";
import { type Child, h, replace } from "../dom";
import { formatArea, formatLength, formatNumber } from "../format";
import { t } from "../i18n";
import { drawFlags, drawNetwork } from "../map/network";
import { bringInView } from "../map/pick";
import { answerButtons } from "../networks/answer";
import { splitPlace } from "../networks/places";
import { section, swatch, textButton } from "../panels/parts";
import { codeTitle, longTable, table } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState, watch } from "../state";
import { makeAsker } from "./asker";
import { changeJourney, field, makeConditions, showWater } from "./conditions";
import { MOST_POINTS, readMinutes, toConditions } from "./journey";
import { makePoints } from "./points";
import { explainWay } from "./reasons";
import { offeredPart } from "./run-form";
import { findBounds, readOutput } from "./ways";

const COLOR = "#0d5f86";
const START = "#0b7a3b";
/** How much each area covers what is under it: they lie in each other, so that nearer is darker. */
const OPACITY = 0.24;

/** Return the colour that an area has on the map under the nearer ones, on white ground. */
function colorAt(index: number, count: number): string {
  const share = 1 - (1 - OPACITY) ** (count - index);
  return `color-mix(in srgb, ${COLOR} ${Math.round(share * 100)}%, white)`;
}

/** What lies within some minutes: an area [m2], roads [m], people, places by kind. */
interface Band {
  minutes: number;
  area: number;
  road_length: number;
  people: number;
  places: Record<string, number>;
}

const drawBands = (areas: readonly GeoJSON.Feature[]): GeoJSON.Feature[] =>
  areas.map((area) => ({ ...area, properties: { color: COLOR, opacity: OPACITY } }));

function bandTable(bands: readonly Band[]): HTMLElement {
  const count = (places: Record<string, number>): number => Object.values(places).reduce((sum, one) => sum + one, 0);
  const rows = bands.map((band, index): Child[] => [
    h("span", { class: "row" }, swatch(colorAt(index, bands.length)), formatNumber(band.minutes, 0)),
    formatArea(band.area),
    formatLength(band.road_length),
    formatNumber(band.people, 0),
    formatNumber(count(band.places), 0),
  ]);
  const headings = [t("reach.minutes"), t("reach.area"), t("reach.roads"), t("reach.people"), t("reach.places")];
  return table(headings, rows);
}

/** Places by their kind, a column each area. */
function placeTable(bands: readonly Band[]): HTMLElement | null {
  const counts = bands.map(({ places }) => places);
  const kinds = [...new Set(counts.flatMap(Object.keys))];
  if (kinds.length === 0) return null;
  const last = counts.at(-1) ?? {};
  kinds.sort((a, b) => (last[b] ?? 0) - (last[a] ?? 0));
  const rows = kinds.map((kind): Child[] => [
    codeTitle("places", "category", kind),
    ...counts.map((count) => formatNumber(count[kind] ?? 0, 0)),
  ]);
  const headings = bands.map(({ minutes }) => `${formatNumber(minutes, 0)} ${t("traffic.minutesShort")}`);
  return section(t("reach.byKind"), longTable([t("water.category"), ...headings], rows));
}

/** Build the part. */
export const reachPart = (map: MapView): Part => offeredPart("isochrone", () => buildReachPart(map));

function buildReachPart(map: MapView): Part {
  const conditions = makeConditions();
  const minutes = h("div", { class: "form" });
  const asker = makeAsker(() => drawNetwork(map, null), explainWay);
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
    const bands = (results["summary"]?.value as { areas: Band[] } | undefined)?.areas ?? [];
    const areas = await readOutput(results["isochrones"], signal);
    const bounds = findBounds(areas);
    drawNetwork(map, { features: drawBands(areas), tiles: [] });
    if (bounds) bringInView(map, bounds);
    return h("div", { class: "answer" }, answerButtons(map, { bounds }), bandTable(bands), placeTable(bands));
  };
  const update = (): void => {
    if (!isOpen()) return;
    const { origins, flood, floodTime } = getState().journey;
    if (flood) showWater(flood, floodTime);
    points.update();
    showMinutes();
    drawFlags(
      map,
      origins.map((word, index) => ({ place: splitPlace(word), label: String(index + 1), color: START })),
    );
    asker.ask(origins.length > 0 ? answer : null);
    if (origins.length === 0 && getState().panelOpen) points.start();
  };
  watch(["journey", "lang"], update);
  watch(["tab"], () => {
    if (!isOpen()) points.stop();
  });
  const form = h("div", { class: "form network-form" }, points.element, minutes, conditions.element);
  return { element: h("div", {}, form, asker.element), show: update, hide: points.stop };
}
