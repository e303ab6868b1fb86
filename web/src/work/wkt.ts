/** Well-known text as the quarantine keeps shapes: points, lines, areas, also of several parts. */

const KINDS: Record<string, { type: "Point" | "LineString" | "Polygon" | "MultiPolygon"; depth: number }> = {
  POINT: { type: "Point", depth: 0 },
  LINESTRING: { type: "LineString", depth: 1 },
  POLYGON: { type: "Polygon", depth: 2 },
  MULTIPOLYGON: { type: "MultiPolygon", depth: 3 },
};

/** Return a shape, or null of a text that is none of those. */
export function readWkt(text: string): GeoJSON.Geometry | null {
  const [, word = "", body = ""] = /^\s*([A-Z]+)(?:\s+Z)?\s*(\(.*\))\s*$/is.exec(text) ?? [];
  const kind = KINDS[word.toUpperCase()];
  if (!kind || !/^[\d\s().,eE+-]+$/.test(body)) return null;
  const pairs = body.replace(
    /[-+\d.eE]+(?:\s+[-+\d.eE]+)+/g,
    (numbers) => `[${numbers.trim().split(/\s+/).join(",")}]`,
  );
  try {
    const nested: unknown = JSON.parse(pairs.replaceAll("(", "[").replaceAll(")", "]"));
    const coordinates = kind.depth === 0 ? (nested as unknown[])[0] : nested;
    return { type: kind.type, coordinates } as GeoJSON.Geometry;
  } catch {
    return null;
  }
}
