/** What lies under a click, and how the chosen feature is lit up. */

import type { GeoJSONSource, MapMouseEvent, Map as MapView, PointLike } from "maplibre-gl";
import { findVectorLayer } from "../data";
import type { Selection } from "../state";
import { layerOf } from "./layers";
import { SENSOR_LAYERS } from "./sensors";

const TOLERANCE = 5;
const MAX_CANDIDATES = 12;
const SOURCE = "highlight";
const COLOR = "#ff7a1a";
const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

export interface Candidate extends Selection {
  name: string | null;
}

/** Return the features near a click, the topmost first; each once. */
export function pick(map: MapView, event: MapMouseEvent): Candidate[] {
  const { x, y } = event.point;
  const box: [PointLike, PointLike] = [
    [x - TOLERANCE, y - TOLERANCE],
    [x + TOLERANCE, y + TOLERANCE],
  ];
  const found = new Map<string, Candidate & { rank: number }>();
  for (const feature of map.queryRenderedFeatures(box)) {
    const isSensor = (SENSOR_LAYERS as readonly string[]).includes(feature.layer.id);
    const layer = isSensor ? "sensors" : layerOf(feature.layer);
    const id = feature.properties["id"];
    if (!layer || id === undefined || id === null) continue;
    const key = `${layer}/${id}`;
    const name = feature.properties["name"];
    const rank = findVectorLayer(layer)?.rank ?? 0;
    if (!found.has(key)) found.set(key, { layer, id: String(id), name: name ? String(name) : null, rank });
  }
  return [...found.values()]
    .sort((a, b) => b.rank - a.rank)
    .slice(0, MAX_CANDIDATES)
    .map(({ layer, id, name }) => ({ layer, id, name }));
}

let lit: GeoJSON.Geometry | null = null;

/** Add the empty highlight, above everything else. */
export function addHighlight(map: MapView): void {
  map.addSource(SOURCE, { type: "geojson", data: EMPTY });
  map.addLayer({
    id: "highlight-fill",
    type: "fill",
    source: SOURCE,
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": COLOR, "fill-opacity": 0.16 },
  });
  map.addLayer({
    id: "highlight-line",
    type: "line",
    source: SOURCE,
    filter: ["!=", ["geometry-type"], "Point"],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": COLOR, "line-width": 3.5 },
  });
  map.addLayer({
    id: "highlight-point",
    type: "circle",
    source: SOURCE,
    filter: ["==", ["geometry-type"], "Point"],
    paint: {
      "circle-radius": 13,
      "circle-color": COLOR,
      "circle-opacity": 0.18,
      "circle-stroke-color": COLOR,
      "circle-stroke-width": 2.5,
    },
  });
  highlight(map, lit);
}

/** Light up one geometry, or none. */
export function highlight(map: MapView, geometry: GeoJSON.Geometry | null): void {
  lit = geometry;
  const data: GeoJSON.GeoJSON = geometry ? { type: "Feature", geometry, properties: {} } : EMPTY;
  map.getSource<GeoJSONSource>(SOURCE)?.setData(data);
}

function* positions(geometry: GeoJSON.Geometry): Generator<[number, number]> {
  if (geometry.type === "GeometryCollection") {
    for (const part of geometry.geometries) yield* positions(part);
    return;
  }
  const queue: unknown[] = [geometry.coordinates];
  while (queue.length > 0) {
    const next = queue.pop() as unknown[];
    if (typeof next[0] === "number") yield [next[0], next[1] as number];
    else queue.push(...next);
  }
}

/** Move the camera to a geometry. */
export function zoomTo(map: MapView, geometry: GeoJSON.Geometry): void {
  let [west, south, east, north] = [180, 90, -180, -90];
  for (const [lon, lat] of positions(geometry)) {
    west = Math.min(west, lon);
    east = Math.max(east, lon);
    south = Math.min(south, lat);
    north = Math.max(north, lat);
  }
  if (west > east) return;
  map.fitBounds([west, south, east, north], { padding: 120, maxZoom: 17, pitch: map.getPitch() });
}
