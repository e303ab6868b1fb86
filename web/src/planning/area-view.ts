/** The answer about an area as figures, a bar of land use and tables; every count opens the table of its layer. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { type Child, h } from "../dom";
import { formatArea, formatFixed, formatLength, formatNumber, formatShare } from "../format";
import { t } from "../i18n";
import { csvText, saveText } from "../panels/csv";
import { layerTitle } from "../panels/impact-tables";
import { empty, figure, section, swatch, textButton } from "../panels/parts";
import { codeTitle, table } from "../panels/table";
import { openTable } from "../table/open";
import type { AreaFlood, AreaStatistics, ClassPart, LayerParts } from "./api";
import { printSheet } from "./print";

interface Shape {
  geometry: GeoJSON.Geometry;
  title: string;
}

/** Layers that say what the ground is; their parts are shares of the area. */
const SHARED: readonly string[] = ["land_use", "zoning"];
const PEOPLE: readonly string[] = ["buildings", "population"];

const find = ({ collections }: AreaStatistics, layer: string): LayerParts | undefined =>
  collections.find(({ collection }) => collection === layer);

const peopleOf = (found: AreaStatistics): number | undefined =>
  PEOPLE.map((layer) => find(found, layer)?.people).find((people) => people !== undefined && people > 0);

export function classWords(layer: string, by: string | null, value: string | null): string {
  if (value === null) return t("plan.unclassed");
  return by ? codeTitle(layer, by, value) : value;
}

function openButton(layer: string, shape: Shape, words: string): HTMLElement {
  const open = (): void => openTable(layer, { geometry: shape.geometry });
  return h("button", { type: "button", class: "link-button", title: t("plan.openTable"), onclick: open }, words);
}

function figures(found: AreaStatistics): HTMLElement {
  const buildings = find(found, "buildings");
  const people = peopleOf(found);
  const roads = find(found, "road_links");
  const trees = find(found, "trees");
  const lights = find(found, "luminaires");
  const parcels = find(found, "parcels");
  return h(
    "div",
    { class: "figures" },
    figure("area", t("plan.areaSize"), formatArea(found.area)),
    people === undefined ? null : figure("people", t("impact.people"), formatNumber(people, 0)),
    buildings ? figure("building", t("impact.buildings"), formatNumber(buildings.count, 0)) : null,
    buildings?.floor_area ? figure("building", t("plan.floorArea"), formatArea(buildings.floor_area)) : null,
    roads ? figure("road", t("plan.roads"), formatLength(roads.length)) : null,
    parcels ? figure("plan", t("plan.parcels"), formatNumber(parcels.count, 0)) : null,
    trees ? figure("tree", t("plan.trees"), formatNumber(trees.count, 0)) : null,
    lights
      ? figure(
          "lamp",
          t("plan.lights"),
          `${formatNumber(lights.count, 0)} · ${formatNumber((lights.power ?? 0) / 1000, 1)} kW`,
        )
      : null,
  );
}

/** Shares of the area as one bar with a list, the colours those of the layer's legend. */
function shareBar(layer: LayerParts, area: number, shape: Shape): HTMLElement {
  const legend = findVectorLayer(layer.collection)?.legend ?? [];
  const rows = layer.classes
    .filter((part) => (part.area ?? 0) / area > 0.0005)
    .map((part) => ({
      part,
      share: (part.area ?? 0) / area,
      color: legend.find(({ value }) => String(value) === part.value)?.color ?? legend[0]?.color ?? "#888888",
      words: classWords(layer.collection, layer.by, part.value),
    }));
  const whole = Math.max(
    1,
    rows.reduce((sum, { share }) => sum + share, 0),
  );
  return section(
    layerTitle(layer.collection),
    h(
      "div",
      { class: "share-bar", "aria-hidden": "true" },
      ...rows.map(({ share, color }) =>
        h("span", { style: `--swatch:${color};--size:${((share / whole) * 100).toFixed(2)}%` }),
      ),
    ),
    table(
      [t("plan.class"), t("plan.share"), t("impact.area"), t("plan.count")],
      rows.map(({ part, share, color, words }) => [
        h("span", { class: "coloured" }, swatch(color), words),
        formatShare(share),
        formatArea(part.area),
        formatNumber(part.count, 0),
      ]),
    ),
    h("p", {}, openButton(layer.collection, shape, t("plan.openTable"))),
  );
}

function floodPart(flood: AreaFlood, area: number): HTMLElement {
  const rows = flood.touched.map(({ collection, count, people, length }): Child[] => [
    layerTitle(collection),
    formatNumber(count, 0),
    length > 0 ? formatLength(length) : "–",
    people > 0 ? formatNumber(people, 0) : "–",
  ]);
  return section(
    t("plan.floodIn"),
    h(
      "div",
      { class: "figures" },
      figure("drop", t("plan.floodedShare"), formatShare(flood.share)),
      figure("wave", t("impact.area"), formatArea(flood.flooded_area)),
      figure("ruler", t("impact.depth"), flood.depth_max === null ? "–" : `${formatFixed(flood.depth_max, 2)} m`),
      figure("ruler", t("plan.meanDepth"), flood.depth_mean === null ? "–" : `${formatFixed(flood.depth_mean, 2)} m`),
    ),
    flood.covered_area < area * 0.98
      ? h("p", { class: "soft note" }, t("plan.covered", { share: formatShare(flood.covered_area / area) }))
      : null,
    rows.length > 0 ? table([t("plan.touched"), t("plan.count"), t("plan.length"), t("impact.people")], rows) : null,
  );
}

const sizeWords = (part: Pick<ClassPart, "area" | "length">): string =>
  part.area !== null ? formatArea(part.area) : part.length !== null ? formatLength(part.length) : "–";

/** One layer of the table: its sum opens the layer's table, its classes are folded below. */
function layerRows(layer: LayerParts, shape: Shape): Child[][] {
  const title = layerTitle(layer.collection);
  const sum: Child[] = [openButton(layer.collection, shape, title), formatNumber(layer.count, 0), sizeWords(layer)];
  if (layer.classes.length < 2) return [sum];
  return [
    sum,
    ...layer.classes.map((part): Child[] => [
      h("span", { class: "class-name" }, classWords(layer.collection, layer.by, part.value)),
      formatNumber(part.count, 0),
      sizeWords(part),
    ]),
  ];
}

function saveStatistics(found: AreaStatistics, title: string): void {
  const header = [
    "layer",
    "class",
    "count",
    "length [m]",
    "area [m2]",
    "people",
    "floor area [m2]",
    "power [W]",
    "budget",
  ];
  const numbers = (part: Omit<ClassPart, "value">): unknown[] => [
    part.count,
    part.length,
    part.area,
    part.people,
    part.floor_area,
    part.power,
    part.budget,
  ];
  const rows = found.collections.flatMap((layer) => [
    [layerTitle(layer.collection), "", ...numbers(layer)],
    ...layer.classes.map((part) => [
      layerTitle(layer.collection),
      classWords(layer.collection, layer.by, part.value),
      ...numbers(part),
    ]),
  ]);
  const flood = found.flood ? [[t("plan.floodIn"), found.flood.run, "", "", found.flood.flooded_area]] : [];
  saveText("area-statistics.csv", csvText([[title, "", "", "", found.area], header, ...rows, ...flood]));
}

/** The layers a planner asks for first; the others are folded away. */
const FIRST: readonly string[] = [
  "buildings",
  "parcels",
  "road_links",
  "trees",
  "luminaires",
  "places",
  "planning_projects",
];

/** Build the answer. */
export function statisticsView(map: MapView, found: AreaStatistics, shape: Shape): HTMLElement {
  const headings = [t("plan.layer"), t("plan.count"), t("plan.lengthOrArea")];
  const rest = found.collections.filter(({ collection }) => !SHARED.includes(collection));
  const rows = (first: boolean): Child[][] =>
    rest.filter(({ collection }) => FIRST.includes(collection) === first).flatMap((layer) => layerRows(layer, shape));
  const body = h(
    "div",
    { class: "statistics" },
    figures(found),
    ...SHARED.flatMap((layer) => {
      const parts = find(found, layer);
      return parts ? [shareBar(parts, found.area, shape)] : [];
    }),
    found.flood ? floodPart(found.flood, found.area) : null,
    found.collections.length === 0
      ? empty(t("plan.nothingThere"))
      : section(t("plan.byLayer"), table(headings, rows(true))),
    h("details", { class: "more" }, h("summary", {}, t("plan.otherLayers")), table(headings, rows(false))),
    h("p", { class: "soft note" }, t("plan.areaLimits")),
  );
  const print = (): void =>
    void printSheet(map, t("plan.statisticsOf", { title: shape.title }), () => statisticsSheet(found, shape));
  return h(
    "div",
    {},
    h("h3", { class: "section-title" }, t("plan.statisticsOf", { title: shape.title })),
    h(
      "div",
      { class: "work-tools" },
      textButton(t("impact.download"), () => saveStatistics(found, shape.title), "button-small", "download"),
      textButton(t("plan.print"), print, "button-small", "print"),
    ),
    body,
  );
}

/** The same for paper: nothing folded, nothing to press. */
function statisticsSheet(found: AreaStatistics, shape: Shape): HTMLElement {
  const rows = found.collections.flatMap((layer) => layerRows(layer, shape));
  return h(
    "div",
    {},
    figures(found),
    found.flood ? floodPart(found.flood, found.area) : null,
    table([t("plan.layer"), t("plan.count"), t("plan.lengthOrArea")], rows),
  );
}
