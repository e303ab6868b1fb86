/** Pointing at the map: while somebody waits for a place, a click gives it and opens nothing. */

import type { MapMouseEvent, Map as MapView, PointLike } from "maplibre-gl";
import { layerOf } from "./layers";
import { metresPerPixel } from "./scale";

const NEAR = 9;

/** A place that was pointed at: an item of a layer of points, or where it was, and how far off it may be [m]. */
export interface Aimed {
  word: string;
  tolerance: number;
}

type Take = (event: MapMouseEvent) => void;

let taking: { take: Take | null; end: () => void } | null = null;

export const isAiming = (): boolean => taking !== null;

/** Wait for the next click; `end` is told when the waiting is over, by a click or by something else. */
export function aim(map: MapView, take: Take, end: () => void): void {
  stopAiming(map);
  taking = { take, end };
  map.getCanvas().style.cursor = "crosshair";
}

/** Keep all clicks from the map until `stopAiming`: somebody draws, and hears them himself. */
export function holdClicks(map: MapView, end: () => void): void {
  stopAiming(map);
  taking = { take: null, end };
}

export function stopAiming(map: MapView): void {
  const waiting = taking;
  taking = null;
  map.getCanvas().style.cursor = "";
  waiting?.end();
}

/** Give a click to who waits for it; false where nobody does. */
export function takeClick(map: MapView, event: MapMouseEvent): boolean {
  const waiting = taking;
  if (!waiting) return false;
  if (!waiting.take) return true;
  stopAiming(map);
  waiting.take(event);
  return true;
}

/** Return what a click means in a network: the nearest drawn point of `points`, else the place itself. */
export function readAim(map: MapView, event: MapMouseEvent, points: readonly string[]): Aimed {
  const { x, y } = event.point;
  const box: [PointLike, PointLike] = [
    [x - NEAR, y - NEAR],
    [x + NEAR, y + NEAR],
  ];
  const { lng, lat } = event.lngLat;
  const pixel = metresPerPixel(map.getZoom(), lat);
  const tolerance = Math.min(Math.max(Math.ceil(pixel * 3 * NEAR), 5), 500);
  const near = map.queryRenderedFeatures(box).flatMap((feature) => {
    const layer = layerOf(feature.layer) ?? "";
    const id = feature.properties["id"];
    if (feature.geometry.type !== "Point" || !points.includes(layer) || id === undefined) return [];
    const place = map.project(feature.geometry.coordinates as [number, number]);
    return [{ word: `${layer}/${String(id)}`, distance: Math.hypot(place.x - x, place.y - y) }];
  });
  const nearest = near.sort((a, b) => a.distance - b.distance)[0];
  return { word: nearest?.word ?? `${lng.toFixed(6)},${lat.toFixed(6)}`, tolerance };
}
