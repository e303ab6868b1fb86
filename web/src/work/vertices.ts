/** Shapes as lists of vertices that people type: a line "latitude, longitude" for each. */

const DIGITS = 7;

type Position = [number, number];

/** Return the corners of a shape without holes and parts; null of any other. */
function cornersOf(geometry: GeoJSON.Geometry): Position[] | null {
  if (geometry.type === "Point") return [geometry.coordinates as Position];
  if (geometry.type === "LineString") return geometry.coordinates as Position[];
  if (geometry.type === "MultiPolygon")
    return geometry.coordinates.length === 1
      ? cornersOf({ type: "Polygon", coordinates: geometry.coordinates[0]! })
      : null;
  if (geometry.type !== "Polygon" || geometry.coordinates.length !== 1) return null;
  return (geometry.coordinates[0] as Position[]).slice(0, -1);
}

/** Write the corners of a shape; null of one that cannot be typed. */
export function writeVertices(geometry: GeoJSON.Geometry): string | null {
  const corners = cornersOf(geometry);
  return (
    corners?.map(([lon, lat]) => `${Number(lat.toFixed(DIGITS))}, ${Number(lon.toFixed(DIGITS))}`).join("\n") ?? null
  );
}

const FEWEST = { Point: 1, LineString: 2, Polygon: 3 } as const;

/** Read corners into a shape of a kind; null where there is no such shape. */
export function readVertices(text: string, kind: keyof typeof FEWEST): GeoJSON.Geometry | null {
  const lines = text.split(/[\n;]/).filter((line) => line.trim() !== "");
  const corners = lines.map((line) => {
    const [lat = Number.NaN, lon = Number.NaN, ...rest] = line
      .trim()
      .split(/[\s,]+/)
      .map(Number);
    const isPlace = rest.length === 0 && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
    return isPlace ? ([lon, lat] satisfies Position) : null;
  });
  if (corners.some((one) => one === null) || corners.length < FEWEST[kind]) return null;
  const places = corners as Position[];
  if (kind === "Point") return places.length === 1 ? { type: "Point", coordinates: places[0]! } : null;
  if (kind === "LineString") return { type: "LineString", coordinates: places };
  return { type: "Polygon", coordinates: [[...places, places[0]!]] };
}

/** Return a shape as the drawing board takes it: an area of one part is a polygon; null where it cannot be edited. */
export function simpleShape(geometry: GeoJSON.Geometry | null): GeoJSON.Geometry | null {
  if (geometry?.type !== "MultiPolygon") return geometry;
  return geometry.coordinates.length === 1 ? { type: "Polygon", coordinates: geometry.coordinates[0]! } : null;
}

const METRES_PER_DEGREE = 111_195;

/** Return about how far two places lie apart [m]. */
export function metresBetween([lon, lat]: Position, [otherLon, otherLat]: Position): number {
  const east = (lon - otherLon) * Math.cos((lat * Math.PI) / 180);
  return METRES_PER_DEGREE * Math.hypot(east, lat - otherLat);
}

/** Return the length of a line [m]. */
export const lengthOf = (line: GeoJSON.LineString): number =>
  line.coordinates.reduce(
    (sum, place, at) => (at === 0 ? 0 : sum + metresBetween(line.coordinates[at - 1] as Position, place as Position)),
    0,
  );
