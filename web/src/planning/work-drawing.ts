/** The changes on the map: ponds and canals blue, roads and dykes brown, gates and pumps as marked points. */

import type { Map as MapView } from "maplibre-gl";
import { drawNetwork } from "../map/network";
import { distance, ringArea, segments } from "../tools/geodesic";
import { isDrawn, SIZES, shapeOf, type Work, type WorkKind } from "./works";

/** Colours of the kinds on the map and in the list. */
export const WORK_COLORS: Record<WorkKind, string> = {
  pond: "#1f6fb5",
  canal: "#0b8a94",
  road: "#9a5b00",
  dyke: "#7a3ea1",
  gate: "#b3261e",
  pump: "#b3261e",
};

/** Places of gates and pumps by their ids, once they are known. */
const devices = new Map<string, GeoJSON.Position>();

export const placeDevice = (id: string, place: GeoJSON.Position): unknown => devices.set(id, place);

function feature(work: Work, number: number): GeoJSON.Feature[] {
  const color = WORK_COLORS[work.kind];
  const geometry = shapeOf(work);
  if (geometry)
    return [{ type: "Feature", geometry, properties: { color, opacity: 0.45, width: 6 } }, label(work, number)];
  const place = devices.get(work.id);
  if (!place) return [];
  return [point(place, color, number)];
}

const point = (coordinates: GeoJSON.Position, color: string, number: number): GeoJSON.Feature => ({
  type: "Feature",
  geometry: { type: "Point", coordinates },
  properties: { color, size: 9, label: String(number) },
});

const label = (work: Work, number: number): GeoJSON.Feature =>
  point(work.places[Math.floor((work.places.length - 1) / 2)]!, WORK_COLORS[work.kind], number);

/** Draw the changes in place of what was drawn last; each has the number it has in the list. */
export function drawWorks(map: MapView, list: readonly Work[]): void {
  const features = list.flatMap((work, place) => feature(work, place + 1));
  drawNetwork(map, features.length > 0 ? { features, tiles: [] } : null);
}

export interface Measures {
  area: number | null;
  length: number | null;
  /** What is dug or heaped up [m³]; of a dyke it is not known. */
  volume: number | null;
}

/** Measure a drawing: area [m²] or length [m], and the earth that is moved. */
export function measureWork(work: Work): Measures {
  if (!isDrawn(work.kind)) return { area: null, length: null, volume: null };
  const [first = 0, second = 0] = work.sizes;
  if (work.kind === "pond") {
    const area = ringArea(work.places);
    return { area, length: null, volume: area * first };
  }
  const length = segments(work.places).reduce((sum, part) => sum + part, 0);
  return { area: null, length, volume: SIZES[work.kind].length > 1 ? length * first * second : null };
}

/** Return the id of the gate or pump nearest to a place, at most so many metres away. */
export function nearestDevice(place: GeoJSON.Position, most: number): string | null {
  const ranked = [...devices]
    .map(([id, at]): [string, number] => [id, distance(place, at)])
    .sort((a, b) => a[1] - b[1]);
  const [nearest] = ranked;
  return nearest && nearest[1] <= most ? nearest[0] : null;
}
