/** What lies under a click, and how the chosen feature is lit up. */

import type { GeoJSONSource, MapGeoJSONFeature, MapMouseEvent, Map as MapView, PointLike } from "maplibre-gl";
import { findVectorLayer } from "../data";
import type { Selection } from "../state";
import { layerOf } from "./layers";
import { NETWORK_LAYERS } from "./network";
import { SENSOR_LAYERS } from "./sensors";

/** How far beside a point or line a click may be [px]. */
const TOLERANCE = 5;
const TOUCH_TOLERANCE = 14;
const MAX_CANDIDATES = 12;
const SOURCE = "highlight";
const COLOR = "#ff7a1a";
const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

export interface Candidate extends Selection {
  name: string | null;
}

/** Return the layer that marks of a query's answer stand for. */
const foundOf = (layer: { metadata?: unknown }): string | undefined =>
  (layer.metadata as Record<string, string> | undefined)?.["twin:found"];

function readFeature(feature: MapGeoJSONFeature): (Candidate & { rank: number }) | null {
  const isSensor = (SENSOR_LAYERS as readonly string[]).includes(feature.layer.id);
  const isNetwork = (NETWORK_LAYERS as readonly string[]).includes(feature.layer.id);
  const { id: own, layer_id: of, item_id: item } = feature.properties;
  const layer = isSensor
    ? "sensors"
    : isNetwork
      ? (of as string | undefined)
      : (layerOf(feature.layer) ?? foundOf(feature.layer));
  const id = isNetwork ? item : own;
  if (!layer || id === undefined || id === null) return null;
  const name = feature.properties["name"];
  // A ward covers everything in it; who clicks there means what lies in the ward.
  const isBoundary = (feature.layer.metadata as Record<string, string> | undefined)?.["twin:theme"] === "admin";
  const rank = isBoundary ? -1 : (findVectorLayer(layer)?.rank ?? 0);
  return { layer, id: String(id), name: name ? String(name) : null, rank };
}

/** A finger covers what it means: it may be farther off than a mouse. */
function toleranceOf(event: MapMouseEvent): number {
  const { pointerType } = event.originalEvent as Partial<PointerEvent>;
  const touches = pointerType ? pointerType !== "mouse" : matchMedia("(pointer: coarse)").matches;
  return touches ? TOUCH_TOLERANCE : TOLERANCE;
}

/** Return what is drawn around a click. */
function findNear(map: MapView, event: MapMouseEvent): MapGeoJSONFeature[] {
  const { x, y } = event.point;
  const tolerance = toleranceOf(event);
  const box: [PointLike, PointLike] = [
    [x - tolerance, y - tolerance],
    [x + tolerance, y + tolerance],
  ];
  return map.queryRenderedFeatures(box);
}

export type Found = Candidate & { feature: MapGeoJSONFeature };

/** Return the features at a click with what is drawn of them, the topmost first, each once. */
export function find(map: MapView, event: MapMouseEvent): Found[] {
  const exact = map.queryRenderedFeatures(event.point);
  const near = findNear(map, event).filter((feature) => !feature.layer.type.startsWith("fill"));
  const nearPoints = near.filter((feature) => feature.layer.type === "circle");
  const found = new Map<string, Found>();
  for (const group of [[...nearPoints, ...exact], near]) {
    const read = group.flatMap((feature) => {
      const candidate = readFeature(feature);
      return candidate ? [{ ...candidate, feature }] : [];
    });
    for (const { layer, id, name, feature } of read.sort((a, b) => b.rank - a.rank)) {
      const key = `${layer}/${id}`;
      if (!found.has(key)) found.set(key, { layer, id, name, feature });
    }
  }
  return [...found.values()].slice(0, MAX_CANDIDATES);
}

/** Return the features at a click, the topmost first, each once; points may lie a few pixels beside it. */
export const pick = (map: MapView, event: MapMouseEvent): Candidate[] =>
  find(map, event).map(({ layer, id, name }) => ({ layer, id, name }));

/** Return how far a point lies from a click [px]. */
function distanceTo(map: MapView, event: MapMouseEvent, { geometry }: MapGeoJSONFeature): number {
  if (geometry.type !== "Point") return Number.POSITIVE_INFINITY;
  const { x, y } = map.project(geometry.coordinates as [number, number]);
  return Math.hypot(x - event.point.x, y - event.point.y);
}

/** Return the circle that stands for several items, if it is the point nearest to a click. */
export function findCluster(map: MapView, event: MapMouseEvent): MapGeoJSONFeature | undefined {
  const circles = findNear(map, event)
    .filter(({ layer }) => layer.type === "circle")
    .map((feature) => ({ feature, distance: distanceTo(map, event, feature) }));
  const nearest = circles.sort((a, b) => a.distance - b.distance)[0]?.feature;
  return Number(nearest?.properties["point_count"] ?? 1) > 1 ? nearest : undefined;
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
    paint: { "fill-color": COLOR, "fill-opacity": 0.1 },
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

/** Return the box around a geometry: west, south, east, north; of an empty one west lies beyond east. */
export function boundsOf(geometry: GeoJSON.Geometry): [number, number, number, number] {
  let [west, south, east, north] = [180, 90, -180, -90];
  for (const [lon, lat] of positions(geometry)) {
    west = Math.min(west, lon);
    east = Math.max(east, lon);
    south = Math.min(south, lat);
    north = Math.max(north, lat);
  }
  return [west, south, east, north];
}

/** Return the middle of the box around a geometry. */
export function middleOf(geometry: GeoJSON.Geometry): [number, number] {
  const [west, south, east, north] = boundsOf(geometry);
  return [(west + east) / 2, (south + north) / 2];
}

/** Move the camera to a geometry. */
export function zoomTo(map: MapView, geometry: GeoJSON.Geometry): void {
  const bounds = boundsOf(geometry);
  if (bounds[0] <= bounds[2]) zoomToBounds(map, bounds);
}

const ROOM = 120;

/** Move the camera to a box: west, south, east, north; `bottom` pixels of the map are left free below it. */
export function zoomToBounds(map: MapView, bounds: [number, number, number, number], bottom = ROOM): void {
  const padding = { top: ROOM, right: ROOM, bottom, left: ROOM };
  map.fitBounds(bounds, { padding, maxZoom: 17, pitch: map.getPitch() });
}

/** Whether anything of a box is in sight. */
export function isInView(map: MapView, [west, south, east, north]: [number, number, number, number]): boolean {
  const view = map.getBounds();
  return east >= view.getWest() && west <= view.getEast() && north >= view.getSouth() && south <= view.getNorth();
}

/** Move the camera to a box of which nothing is in sight. */
export function bringInView(map: MapView, bounds: [number, number, number, number]): void {
  if (!isInView(map, bounds)) zoomToBounds(map, bounds);
}
