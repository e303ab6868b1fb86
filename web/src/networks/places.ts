/** Where the words of a question lie on the map. */

import { readItem } from "../api";
import { splitItem } from "./words";

export type Position = [number, number];

const PLACE = /^-?\d+(?:\.\d+)?,-?\d+(?:\.\d+)?$/;

export const isPlace = (word: string): boolean => PLACE.test(word);

/** Return longitude and latitude of a word `lon,lat`. */
export const splitPlace = (word: string): Position => word.split(",").map(Number) as Position;

/** Return the vertex in the middle of a line or outline, or a point itself. */
function findMiddle(geometry: GeoJSON.Geometry): Position | null {
  if (geometry.type === "GeometryCollection") return null;
  let inner: unknown = geometry.coordinates;
  while (Array.isArray(inner) && Array.isArray(inner[0])) {
    const [first] = inner as unknown[][];
    const isLine = typeof first?.[0] === "number";
    inner = inner[isLine ? Math.floor(inner.length / 2) : 0];
  }
  return inner as Position;
}

const known = new Map<string, Promise<Position | null>>();

async function readPlace(word: string): Promise<Position | null> {
  if (isPlace(word)) return splitPlace(word);
  const { layer, id } = splitItem(word);
  const { geometry } = await readItem(layer, id);
  if (geometry?.type === "LineString" && geometry.coordinates.length === 2) {
    const [[x0, y0] = [0, 0], [x1, y1] = [0, 0]] = geometry.coordinates as Position[];
    return [(x0 + x1) / 2, (y0 + y1) / 2];
  }
  return geometry ? findMiddle(geometry) : null;
}

/** Return longitude and latitude of a word `lon,lat` or `layer/id`; null where it cannot be found. */
export function findPlace(word: string): Promise<Position | null> {
  const found = known.get(word) ?? readPlace(word).catch(() => null);
  known.set(word, found);
  return found;
}

/** Return the distance between two places [m], on a sphere. */
export function measureDistance([lon0, lat0]: Position, [lon1, lat1]: Position): number {
  const rad = Math.PI / 180;
  const x = (lon1 - lon0) * rad * Math.cos(((lat0 + lat1) / 2) * rad);
  const y = (lat1 - lat0) * rad;
  return 6_371_009 * Math.hypot(x, y);
}
