/** What networks and roads answered, drawn over everything: areas, lines with a halo, points, flags at the places. */

import type { ExpressionSpecification, GeoJSONSource, Map as MapView } from "maplibre-gl";
import { getState } from "../state";
import { firstMark } from "./order";

/**
 * Features with `color`; of points `label` and `size`, of lines `width` and `pattern` (dashed, dotted), of areas
 * `opacity`. `layer_id` and `item_id` say which item one stands for.
 */
export interface Drawing {
  features: GeoJSON.Feature[];
  /** Layers whose tiles are drawn, as far as they pass a filter, where features are too many. */
  tiles: readonly { layer: string; filter: string }[];
}

export interface Flag {
  place: [number, number];
  label: string;
  color: string;
}

/** Dashes of lines by their property `pattern`, in widths of the line. */
const PATTERNS: ExpressionSpecification = [
  "match",
  ["get", "pattern"],
  "dashed",
  ["literal", [2, 1.6]],
  "dotted",
  ["literal", [0.1, 1.7]],
  ["literal", [1, 0]],
];

export const FOUND_COLOR = "#d6006c";
const SOURCE = "network";
const FLAGS = "network-flags";
const TILES = "network-tiles-";
export const NETWORK_LAYERS = ["network-point", "network-line"] as const;
const NOTHING: Drawing = { features: [], tiles: [] };

let drawing = NOTHING;
let flags: Flag[] = [];

const collect = (features: GeoJSON.Feature[]): GeoJSON.FeatureCollection => ({ type: "FeatureCollection", features });

function flagFeatures(): GeoJSON.FeatureCollection {
  return collect(
    flags.map(({ place, label, color }) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: place },
      properties: { label, color },
    })),
  );
}

/** Add the overlay; called again after each change of style, which takes every overlay with it. */
export function addNetwork(map: MapView): void {
  const dark = getState().scheme === "dark";
  const halo = dark ? "#0b1620" : "#ffffff";
  const isLine: ["==", ["geometry-type"], "LineString"] = ["==", ["geometry-type"], "LineString"];
  const isPoint: ["==", ["geometry-type"], "Point"] = ["==", ["geometry-type"], "Point"];
  map.addSource(SOURCE, { type: "geojson", data: collect([]) });
  map.addSource(FLAGS, { type: "geojson", data: flagFeatures() });
  map.addLayer(
    {
      id: "network-area",
      type: "fill",
      source: SOURCE,
      filter: ["any", ["==", ["geometry-type"], "Polygon"], ["==", ["geometry-type"], "MultiPolygon"]],
      paint: {
        "fill-color": ["get", "color"],
        "fill-opacity": ["coalesce", ["get", "opacity"], 0.3],
        "fill-outline-color": ["get", "color"],
      },
    },
    firstMark(map),
  );
  map.addLayer({
    id: "network-halo",
    type: "line",
    source: SOURCE,
    filter: isLine,
    layout: { "line-cap": "round", "line-join": "round", "line-sort-key": ["coalesce", ["get", "order"], 0] },
    paint: { "line-color": halo, "line-width": ["+", 3.5, ["coalesce", ["get", "width"], 4.5]], "line-opacity": 0.85 },
  });
  map.addLayer({
    id: NETWORK_LAYERS[1],
    type: "line",
    source: SOURCE,
    filter: isLine,
    layout: { "line-cap": "round", "line-join": "round", "line-sort-key": ["coalesce", ["get", "order"], 0] },
    paint: {
      "line-color": ["get", "color"],
      "line-width": ["coalesce", ["get", "width"], 4.5],
      "line-dasharray": PATTERNS,
    },
  });
  map.addLayer({
    id: NETWORK_LAYERS[0],
    type: "circle",
    source: SOURCE,
    filter: isPoint,
    layout: { "circle-sort-key": ["coalesce", ["get", "size"], 4] },
    paint: {
      "circle-radius": ["coalesce", ["get", "size"], 4],
      "circle-color": ["get", "color"],
      "circle-stroke-color": halo,
      "circle-stroke-width": 1.5,
    },
  });
  const words = {
    "text-font": ["Be Vietnam Pro"],
    "text-size": 12,
    "text-allow-overlap": true,
    "text-ignore-placement": true,
  };
  map.addLayer({
    id: "network-label",
    type: "symbol",
    source: SOURCE,
    filter: ["all", isPoint, ["has", "label"]],
    layout: { ...words, "text-field": ["get", "label"] },
    paint: { "text-color": "#ffffff" },
  });
  map.addLayer({
    id: "network-flag",
    type: "circle",
    source: FLAGS,
    paint: {
      "circle-radius": 9,
      "circle-color": ["get", "color"],
      "circle-stroke-color": halo,
      "circle-stroke-width": 2.5,
    },
  });
  map.addLayer({
    id: "network-flag-label",
    type: "symbol",
    source: FLAGS,
    layout: { ...words, "text-field": ["get", "label"] },
    paint: { "text-color": "#ffffff" },
  });
  drawNetwork(map, drawing);
}

function clearTiles(map: MapView): void {
  for (const layer of map.getStyle().layers.filter((one) => one.id.startsWith(TILES))) map.removeLayer(layer.id);
  for (const id of Object.keys(map.getStyle().sources).filter((one) => one.startsWith(TILES))) map.removeSource(id);
}

function addTiles(map: MapView, layer: string, filter: string): void {
  const source = map.getStyle().sources[layer];
  if (source?.type !== "vector" || !source.tiles) return;
  const id = TILES + layer;
  const tiles = source.tiles.map((tile) => `${tile.split("?")[0]}?filter=${encodeURIComponent(filter)}`);
  map.addSource(id, { ...source, tiles });
  const metadata = { "twin:layer": layer };
  const above = { source: id, "source-layer": layer, metadata };
  map.addLayer(
    {
      id: `${id}-line`,
      type: "line",
      ...above,
      filter: ["==", ["geometry-type"], "LineString"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": FOUND_COLOR, "line-width": 3.5 },
    },
    NETWORK_LAYERS[0],
  );
  map.addLayer(
    {
      id: `${id}-point`,
      type: "circle",
      ...above,
      filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-color": FOUND_COLOR, "circle-radius": 3.5 },
    },
    NETWORK_LAYERS[0],
  );
}

/** Draw an answer in place of the last one; null takes it away. */
export function drawNetwork(map: MapView, next: Drawing | null): void {
  drawing = next ?? NOTHING;
  map.getSource<GeoJSONSource>(SOURCE)?.setData(collect(drawing.features));
  if (!map.getSource(SOURCE)) return;
  clearTiles(map);
  for (const { layer, filter } of drawing.tiles) addTiles(map, layer, filter);
}

/** Mark places that somebody chose. */
export function drawFlags(map: MapView, next: Flag[]): void {
  flags = next;
  map.getSource<GeoJSONSource>(FLAGS)?.setData(flagFeatures());
}
