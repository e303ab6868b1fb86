/** What is asked of a layer's tiles: of which run, on which condition, at which time. */

import type { LayerSpecification, Map as MapView, VectorSourceSpecification, VectorTileSource } from "maplibre-gl";
import { findVectorLayer, getCatalog } from "../data";
import { makeSlice } from "../slices";
import { getState } from "../state";
import { both, isNumber, quoteText } from "../table/tests";
import type { VectorLayer } from "../types";
import { layerOf } from "./layers";
import { filterSensors } from "./sensors";

const FLOOD = "flood";
/** The source of all layers that are drawn at first. */
const SHARED = "base";

export type Filters = Readonly<Record<string, string>>;

function readFilters(text: string | null): Filters {
  if (!text) return {};
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== "object" || read === null) return {};
    return Object.fromEntries(Object.entries(read).filter(([, filter]) => typeof filter === "string"));
  } catch {
    return {};
  }
}

/** The person's own conditions in CQL2 text, by layer; they go with the link. */
export const filters = makeSlice<Filters>("filters", readFilters, (value) =>
  Object.keys(value).length > 0 ? JSON.stringify(value) : null,
);

/** Values of the legend that are not drawn, by layer. */
export type Hidden = Readonly<Record<string, readonly string[]>>;

function readHidden(text: string | null): Hidden {
  const pairs = (text ?? "").split(",").map((pair) => pair.split(":"));
  const read = pairs.map(([id, values]): [string, string[]] => [id ?? "", (values ?? "").split(";").filter(Boolean)]);
  return Object.fromEntries(read.filter(([id, values]) => /^\w+$/.test(id) && values.length > 0));
}

/** What the person does not want to see of a legend; it goes with the link. */
export const hiddenClasses = makeSlice<Hidden>(
  "hide",
  readHidden,
  (value) =>
    Object.entries(value)
      .map(([id, values]) => `${id}:${values.join(";")}`)
      .join(",") || null,
);

/** Return the condition that leaves the hidden values of a legend out. */
function hiddenFilter(layer: VectorLayer): string | null {
  const property = layer.properties.find(({ name }) => name === layer.by);
  const values = hiddenClasses
    .get()
    [layer.id]?.filter((one) => layer.legend.some(({ value }) => String(value) === one));
  if (!property || !values || values.length === 0) return null;
  const { name } = property;
  if (!isNumber(property)) return `(${name} IS NULL OR NOT (${name} IN (${values.map(quoteText).join(", ")})))`;
  const bounds = layer.legend.map(({ value }) => Number(value));
  const spans = values.map((value) => {
    const at = bounds.indexOf(Number(value));
    const low = at > 0 ? `${name} >= ${bounds[at]}` : null;
    const high = at + 1 < bounds.length ? `${name} < ${bounds[at + 1]}` : null;
    return `(${[low, high].filter(Boolean).join(" AND ") || `${name} IS NOT NULL`})`;
  });
  return `(${name} IS NULL OR NOT (${spans.join(" OR ")}))`;
}

/** Return all that the person asks of a layer: the own condition, and the values of the legend that are shown. */
export const filterOf = (layer: VectorLayer): string | null => both(filters.get()[layer.id], hiddenFilter(layer));

/** Draw of a layer everything but these values of its legend. */
export function setHiddenClasses(map: MapView, layer: string, values: readonly string[]): void {
  const { [layer]: _, ...others } = hiddenClasses.get();
  hiddenClasses.set(values.length > 0 ? { ...others, [layer]: values } : others);
  applyTileQueries(map);
}

/** Conditions that panels set on layers that runs write, by layer. */
const conditions = new Map<string, string>();

let runOf: (layer: string) => string | undefined = () => undefined;

/** Say which run's features are drawn of a layer; where it says nothing, those of the flood that is shown. */
export function chooseRuns(choose: (layer: string) => string | undefined): void {
  runOf = choose;
}

/** Draw of a layer that runs write only what meets a condition; null draws all. `applyTileQueries` brings it about. */
export function setCondition(layer: string, condition: string | null): void {
  if (condition) conditions.set(layer, condition);
  else conditions.delete(layer);
}

/** Draw of a layer only what meets the person's own condition; null draws all. */
export function setLayerFilter(map: MapView, layer: string, filter: string | null): void {
  const { [layer]: _, ...others } = filters.get();
  filters.set(filter ? { ...others, [layer]: filter } : others);
  applyTileQueries(map);
}

/** Whether runs write a layer, and nobody else. */
export const isOfRuns = (layer: VectorLayer): boolean => layer.properties.some(({ name }) => name === "run_id");

/** Return the run whose features are drawn of a layer that runs write; null where all are drawn. */
export function runOfLayer(layer: VectorLayer): string | null {
  const isFlood = getCatalog().themes.some(({ id, layers }) => id === FLOOD && layers.includes(layer));
  return runOf(layer.id) ?? (isFlood ? getState().runId : null);
}

/** Return what is asked of the tiles of a layer. */
export function queryTiles(layer: VectorLayer): URLSearchParams {
  const query = new URLSearchParams();
  const run = isOfRuns(layer) ? runOfLayer(layer) : null;
  if (run) query.set("run_id", run);
  const filter = both(conditions.get(layer.id), filterOf(layer));
  if (filter) query.set("filter", filter);
  return query;
}

/** Return the addresses of a source's tiles; they are known before it has loaded. */
const tilesOf = (source: VectorTileSource | undefined): string[] | undefined => source?.serialize().tiles;

/** Give a layer that shares its tiles with others tiles of its own; its layers of the style move over to them. */
function splitSource(map: MapView, layer: VectorLayer): void {
  const shared = map.getSource<VectorTileSource>(SHARED)?.serialize() as VectorSourceSpecification | undefined;
  const tiles = shared?.tiles?.[0]?.split("?")[0];
  if (!tiles) return;
  const own = tiles.replace(/\/tiles\/[^/]+\//, `/tiles/${layer.id}/`);
  map.addSource(layer.id, { ...shared, tiles: [own], minzoom: layer.min_zoom });
  const ids = map.getLayersOrder();
  for (const drawn of map.getStyle().layers) {
    if (!("source" in drawn) || drawn.source !== SHARED || layerOf(drawn) !== layer.id) continue;
    const above = ids[ids.indexOf(drawn.id) + 1];
    map.removeLayer(drawn.id);
    map.addLayer({ ...drawn, source: layer.id } as LayerSpecification, above);
  }
}

function setTiles(source: VectorTileSource | undefined, query: URLSearchParams): void {
  const now = tilesOf(source);
  const tiles = now?.map((tile) => askTiles(tile, query, moment));
  if (source && tiles && tiles[0] !== now?.[0]) source.setTiles(tiles);
}

/** The moment at which the layers are drawn; null is now. */
let moment: string | null = null;

/** Draw the layers as they were at a moment; null draws them as they are. */
export function drawAsAt(map: MapView, at: string | null): void {
  moment = at;
  applyTileQueries(map);
}

/** Return the address of tiles with what is asked of them. */
export function askTiles(tiles: string, query: URLSearchParams, at: string | null): string {
  const asked = new URLSearchParams(query);
  // What a run wrote has no other time than the run's.
  if (at && !asked.has("run_id")) asked.set("datetime", at);
  return `${tiles.split("?")[0]}${asked.size > 0 ? `?${asked}` : ""}`;
}

/** Bring the tiles of every layer in step with what is asked of them. */
export function applyTileQueries(map: MapView): void {
  setTiles(map.getSource(SHARED), new URLSearchParams());
  for (const theme of getCatalog().themes) {
    for (const layer of theme.layers) {
      if (layer.kind !== "vector") continue;
      const query = queryTiles(layer);
      if (query.size > 0 && !map.getSource(layer.id)) splitSource(map, layer);
      setTiles(map.getSource(layer.id), query);
    }
  }
  const sensors = findVectorLayer("sensors");
  if (sensors) filterSensors(map, filterOf(sensors));
}
