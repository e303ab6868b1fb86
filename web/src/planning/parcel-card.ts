/** What is known of a parcel: land use, zoning with its share, buildings, projects, water by run, access, address. */

import type { Map as MapView } from "maplibre-gl";
import { readItems, readPoint, readRun } from "../api";
import { findVectorLayer, isFlood, runs } from "../data";
import { h, replace } from "../dom";
import { formatArea, formatFixed, formatNumber, formatProperty, formatShare, formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { empty, failure, loading, section, textButton } from "../panels/parts";
import { codeTitle, table } from "../panels/table";
import { writeShape } from "../table/open";
import type { Item, RunShort, ZoomToItem } from "../types";
import { type Overlap, readOverlaps, readStatistics, readSurroundings, type Surroundings } from "./api";
import { middleOf } from "./middle";
import { ownersPart } from "./owners";
import { printSheet } from "./print";

const OTHERS = ["zoning", "buildings", "planning_projects", "wards"] as const;
const RUNS = 3;
const ACCESS_METRES = 15;
const PROBABILITIES = ["flood_probability_01", "flood_probability_03", "flood_probability_05"] as const;

interface WaterRow {
  run: RunShort;
  depth: number | null;
  share: number | null;
  probabilities: (number | null)[];
}

interface Known {
  overlaps: Overlap[];
  around: Surroundings | null;
  roads: Item[];
  water: WaterRow[];
}

const flat = (geometry: GeoJSON.Geometry): GeoJSON.Geometry =>
  geometry.type === "MultiPolygon" && geometry.coordinates.length === 1
    ? { type: "Polygon", coordinates: geometry.coordinates[0]! }
    : geometry;

/** Return the water of a run in a parcel: deepest, share, and how likely where the run says so. */
async function readWater(geometry: GeoJSON.Geometry, run: RunShort): Promise<WaterRow> {
  const { rasters } = await readRun(run.id);
  const has = (layer: string): boolean => rasters.some((raster) => raster.layer === layer);
  const [lon, lat] = middleOf(geometry);
  const flood = has("flood_depth_max")
    ? (await readStatistics(geometry, { run: run.id, collections: ["wards"] })).flood
    : null;
  const probabilities = await Promise.all(
    PROBABILITIES.map(async (layer) => {
      const raster = rasters.find((one) => one.layer === layer);
      return raster ? ((await readPoint(raster.id, lon, lat)).values[0] ?? null) : null;
    }),
  );
  return { run, depth: flood ? (flood.depth_max ?? 0) : null, share: flood?.share ?? null, probabilities };
}

async function readKnown(item: Item): Promise<Known> {
  const geometry = flat(item.geometry!);
  const others = OTHERS.filter((layer) => findVectorLayer(layer));
  const near = `S_DWITHIN(geometry, ${writeShape(geometry)}, ${ACCESS_METRES})`;
  const lately = (runs ?? []).filter(({ process }) => isFlood(process)).slice(0, RUNS);
  const [overlaps, around, roads, water] = await Promise.all([
    readOverlaps("parcels", item.id, others),
    readSurroundings(middleOf(geometry)).catch(() => null),
    readItems("road_links", { filter: near, limit: "10" }),
    Promise.all(lately.map((run) => readWater(geometry, run))),
  ]);
  return { overlaps, around, roads: roads.features, water };
}

/** Names and values below one another. */
const pairs = (rows: readonly (readonly [string, string])[]): HTMLElement =>
  h(
    "dl",
    { class: "properties" },
    ...rows.map(([name, value]) => h("div", { class: "property" }, h("dt", {}, name), h("dd", {}, value))),
  );

/** Return the parcel's own properties in words. */
function own(item: Item): [string, string][] {
  const layer = findVectorLayer("parcels");
  return (layer?.properties ?? [])
    .filter(({ name }) => item.properties[name] !== null && item.properties[name] !== undefined)
    .map((property) => [say(property.title), formatProperty(item.properties[property.name], property)]);
}

const link = (words: string, open: () => void): HTMLElement =>
  h("button", { type: "button", class: "link-button", onclick: open }, words);

function zoningPart(rows: Overlap[]): HTMLElement {
  if (rows.length === 0) return section(t("plan.zoning"), empty(t("plan.noZoning")));
  const number = (value: unknown, digits = 1): string =>
    typeof value === "number" ? formatNumber(value, digits) : "–";
  return section(
    t("plan.zoning"),
    table(
      [
        t("plan.zone"),
        t("plan.share"),
        t("plan.maxHeight"),
        t("plan.maxStoreys"),
        t("plan.maxCoverage"),
        t("plan.maxFar"),
      ],
      rows.map(({ properties, share }) => [
        `${codeTitle("zoning", "zone", properties["zone"])} – ${String(properties["name"] ?? "")}`,
        formatShare(share),
        `${number(properties["max_height"])} m`,
        number(properties["max_storeys"], 0),
        formatShare(properties["max_coverage"] as number | null),
        number(properties["max_floor_area_ratio"]),
      ]),
    ),
    ...rows
      .slice(0, 3)
      .map(({ properties }) =>
        properties["permitted_use"]
          ? h("p", { class: "soft" }, t("plan.permitted", { use: String(properties["permitted_use"]) }))
          : null,
      ),
  );
}

function buildingsPart(rows: Overlap[], zoom: (layer: string, id: string) => void): HTMLElement {
  if (rows.length === 0) return section(t("impact.buildings"), empty(t("plan.noBuildings")));
  return section(
    t("impact.buildings"),
    table(
      [t("plan.id"), t("plan.use"), t("plan.storeys"), t("impact.area"), t("plan.share")],
      rows.map(({ id, properties, area, share }) => [
        link(id, () => zoom("buildings", id)),
        codeTitle("buildings", "use", properties["use"]),
        formatNumber(properties["storeys"] as number | null, 0),
        formatArea(area),
        formatShare(share),
      ]),
    ),
  );
}

function projectsPart(rows: Overlap[], zoom: (layer: string, id: string) => void): HTMLElement | null {
  if (rows.length === 0) return null;
  return section(
    t("plan.touchingProjects"),
    table(
      [t("plan.project"), t("plan.stage"), t("plan.share")],
      rows.map(({ id, properties, share }) => [
        link(String(properties["name"] ?? id), () => zoom("planning_projects", id)),
        codeTitle("planning_projects", "stage", properties["stage"]),
        formatShare(share),
      ]),
    ),
  );
}

function waterPart(rows: WaterRow[]): HTMLElement {
  if (rows.length === 0) return section(t("plan.floodAt"), empty(t("plan.noRuns")));
  const percent = (value: number | null): string => (value === null ? "–" : `${formatNumber(value, 0)} %`);
  return section(
    t("plan.floodAt"),
    table(
      [t("plan.floodRun"), t("impact.depth"), t("plan.floodedShare"), "≥ 0,1 m", "≥ 0,3 m", "≥ 0,5 m"],
      rows.map(({ run, depth, share, probabilities }) => [
        `${say(run.title)} (${formatShortDateTime(run.created)})`,
        depth === null ? "–" : `${formatFixed(depth, 2)} m`,
        formatShare(share),
        ...probabilities.map(percent),
      ]),
    ),
  );
}

function placePart({ around, roads, overlaps }: Known): HTMLElement {
  const wards = overlaps.filter(({ collection }) => collection === "wards");
  const street = around?.street;
  const names = [...new Set(roads.map(({ properties }) => String(properties["name"] ?? "")).filter(Boolean))];
  const rows: [string, string][] = [
    [t("plan.address"), around?.address?.text ?? "–"],
    [
      t("plan.ward"),
      wards
        .map(
          ({ properties, share }) =>
            `${String(properties["name"])}${wards.length > 1 ? ` (${formatShare(share)})` : ""}`,
        )
        .join(", ") || "–",
    ],
    [
      t("plan.accessRoad"),
      names.join(", ") ||
        (street
          ? t("plan.nearestStreet", { street: street.name, metres: formatNumber(street.distance, 0) })
          : t("plan.noAccess")),
    ],
  ];
  return section(t("plan.place"), pairs(rows));
}

function pages(item: Item, known: Known, zoom: (layer: string, id: string) => void): HTMLElement {
  const of = (layer: string): Overlap[] => known.overlaps.filter(({ collection }) => collection === layer);
  return h(
    "div",
    { class: "parcel" },
    pairs(own(item)),
    placePart(known),
    zoningPart(of("zoning")),
    buildingsPart(of("buildings"), zoom),
    projectsPart(of("planning_projects"), zoom),
    waterPart(known.water),
  );
}

/** Build the card; it fills as the answers come. */
export function parcelCard(map: MapView, item: Item, title: string, zoomToItem: ZoomToItem): HTMLElement {
  const body = h("div");
  const zoom = (layer: string, id: string): void => zoomToItem(layer, id, null);
  const load = async (): Promise<void> => {
    replace(body, loading());
    try {
      const known = await readKnown(item);
      const print = (): void =>
        void printSheet(map, title, () => h("div", {}, pages(item, known, zoom), h("p", {}, t("plan.extractNote"))));
      replace(
        body,
        textButton(t("plan.printExtract"), print, "button-small", "print"),
        pages(item, known, zoom),
        ownersPart(item.id),
        h("p", { class: "soft note" }, t("plan.extractNote")),
      );
    } catch (error) {
      replace(
        body,
        failure(error, () => void load()),
      );
    }
  };
  void load();
  return h("div", {}, h("h3", { class: "section-title" }, title), body);
}
