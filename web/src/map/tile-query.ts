/** What is asked of a layer's tiles: of which run, on which condition, at which time. */

import type { Map as MapView, VectorTileSource } from "maplibre-gl";
import { getCatalog } from "../data";
import { makeSlice } from "../slices";
import { getState } from "../state";
import type { Theme, VectorLayer } from "../types";

const FLOOD = "flood";

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

/** Return what is asked of the tiles of a layer. */
export function queryTiles(theme: Theme, layer: VectorLayer): URLSearchParams {
  const query = new URLSearchParams();
  const ofRuns = layer.properties.some(({ name }) => name === "run_id");
  const run = ofRuns ? (runOf(layer.id) ?? (theme.id === FLOOD ? getState().runId : null)) : null;
  if (run) query.set("run_id", run);
  const both = [conditions.get(layer.id), filters.get()[layer.id]].filter((one) => one !== undefined);
  if (both.length > 0) query.set("filter", both.length > 1 ? both.map((one) => `(${one})`).join(" AND ") : both[0]!);
  return query;
}

/** Bring the tiles of every layer in step with what is asked of them. */
export function applyTileQueries(map: MapView): void {
  for (const theme of getCatalog().themes) {
    for (const layer of theme.layers) {
      if (layer.kind !== "vector") continue;
      const source = map.getSource<VectorTileSource>(layer.id);
      if (!source?.tiles) continue;
      const query = queryTiles(theme, layer).toString();
      const tiles = source.tiles.map((tile) => `${tile.split("?")[0]}${query ? `?${query}` : ""}`);
      if (tiles[0] !== source.tiles[0]) source.setTiles(tiles);
    }
  }
}
