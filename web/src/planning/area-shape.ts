/** The area that is asked about: drawn, a ward, or what the map shows; it goes with the link. */

import { makeSlice } from "../slices";

export type Area = { kind: "drawn"; ring: GeoJSON.Position[] } | { kind: "ward"; code: string };

const DIGITS = 5;
const MOST = 500;

function readRing(text: string): GeoJSON.Position[] | null {
  const numbers = text.split(",").map(Number);
  if (numbers.length < 8 || numbers.length > 2 * MOST || numbers.length % 2 || !numbers.every(Number.isFinite))
    return null;
  return Array.from({ length: numbers.length / 2 }, (_, at) => [numbers[2 * at]!, numbers[2 * at + 1]!]);
}

/** The area; null where none is chosen yet. */
export const area = makeSlice<Area | null>(
  "area",
  (text) => {
    if (!text) return null;
    if (text.startsWith("ward ")) return { kind: "ward", code: text.slice(5) };
    const ring = readRing(text);
    return ring && { kind: "drawn", ring };
  },
  (value) => {
    if (!value) return null;
    if (value.kind === "ward") return `ward ${value.code}`;
    return value.ring.map(([lon, lat]) => `${lon!.toFixed(DIGITS)},${lat!.toFixed(DIGITS)}`).join(",");
  },
);

/** Return a box as a ring. */
export function boxRing(west: number, south: number, east: number, north: number): GeoJSON.Position[] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
}
