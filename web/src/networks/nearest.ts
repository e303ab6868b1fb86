/** The feature of a layer of points that somebody means with a click. */

import type { MapMouseEvent } from "maplibre-gl";
import { readItems } from "../api";
import type { Item } from "../types";
import { measureDistance, type Position } from "./places";

/** How far around a click features are looked for [degrees]. */
const AROUND = 0.003;
const MOST = "1000";

export const placeOf = (item: Item): Position => (item.geometry as GeoJSON.Point).coordinates as Position;

/** Return the feature nearest to a click, or undefined where there is none around. */
export async function findNearest(layer: string, event: MapMouseEvent): Promise<Item | undefined> {
  const { lng, lat } = event.lngLat;
  const bbox = [lng - AROUND, lat - AROUND, lng + AROUND, lat + AROUND].map((side) => side.toFixed(6)).join(",");
  const { features } = await readItems(layer, { bbox, limit: MOST });
  const away = (item: Item): number => measureDistance([lng, lat], placeOf(item));
  return features.sort((a, b) => away(a) - away(b))[0];
}
