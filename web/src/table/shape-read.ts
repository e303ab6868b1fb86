/** Reading the shapes that a query writes as text, so that they can be shown on the map. */

import type { Group, Part } from "./tree";

function readPairs(text: string): GeoJSON.Position[] {
  return text.split(",").map((pair) => pair.trim().split(/\s+/).map(Number));
}

/** Return a box or a polygon as geometry; null for what is neither. */
export function readShape(words: string): GeoJSON.Geometry | null {
  const box = /^BBOX\s*\(([-\d.,\s]+)\)$/i.exec(words)?.[1];
  if (box) {
    const [west = Number.NaN, south = Number.NaN, east = Number.NaN, north = Number.NaN] = box.split(",").map(Number);
    if (![west, south, east, north].every(Number.isFinite)) return null;
    const ring = [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ];
    return { type: "Polygon", coordinates: [ring] };
  }
  const inner = /^POLYGON\s*\(\s*(\(.*\))\s*\)$/is.exec(words)?.[1];
  const rings = [...(inner ?? "").matchAll(/\(([^()]+)\)/g)].map((match) => readPairs(match[1]!));
  const isWhole = rings.length > 0 && rings.flat(2).every(Number.isFinite);
  return isWhole ? { type: "Polygon", coordinates: rings } : null;
}

/** Return the shapes that a query asks about, wherever they stand in it. */
export function shapesOf(group: Group): GeoJSON.Geometry[] {
  return group.parts.flatMap((part: Part): GeoJSON.Geometry[] => {
    if (part.kind === "group") return shapesOf(part);
    if (part.kind === "near" || part.kind === "inside" || part.kind === "related") return shapesOf(part.where);
    const shape = part.kind === "shape" ? readShape(part.words) : null;
    return shape ? [shape] : [];
  });
}
