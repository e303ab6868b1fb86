/** Drawings as GeoJSON files, with the properties that other programs know (simplestyle). */

import { t } from "../i18n";
import { saveText } from "../panels/csv";
import { COLORS, geometryOfShape, LONGEST_NAME, type Shape, type ShapeKind } from "./drawing";

const LARGEST_FILE = 1_000_000;
const MOST_PLACES = 20_000;

/** Save what is drawn. */
export function saveDrawing(shapes: readonly Shape[]): void {
  const features = shapes.map((shape): GeoJSON.Feature => {
    const color = COLORS[shape.color] ?? COLORS[0];
    return {
      type: "Feature",
      geometry: geometryOfShape(shape),
      properties: { name: shape.name, kind: shape.kind, stroke: color, fill: color, "marker-color": color },
    };
  });
  saveText("drawing.geojson", JSON.stringify({ type: "FeatureCollection", features }), "application/geo+json");
}

function isPlace(value: unknown): value is [number, number] {
  if (!Array.isArray(value) || typeof value[0] !== "number" || typeof value[1] !== "number") return false;
  return Math.abs(value[0]) <= 180 && Math.abs(value[1]) <= 85;
}

const readPlaces = (value: unknown): [number, number][] => {
  if (!Array.isArray(value) || !value.every(isPlace)) throw new Error(t("draw.notDegrees"));
  return value.map(([lon, lat]) => [lon, lat]);
};

type Part = { kind: ShapeKind; places: [number, number][] };

/** Return the simple parts of a geometry; holes are left out. */
function partsOf(geometry: unknown): Part[] {
  const { type, coordinates, geometries } = (geometry ?? {}) as Record<string, unknown>;
  const each = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  const ring = (rings: unknown): Part => ({ kind: "Polygon", places: readPlaces(each(rings)[0]).slice(0, -1) });
  if (type === "Point") return [{ kind: "Point", places: readPlaces([coordinates]) }];
  if (type === "MultiPoint") return each(coordinates).map((place) => ({ kind: "Point", places: readPlaces([place]) }));
  if (type === "LineString") return [{ kind: "LineString", places: readPlaces(coordinates) }];
  if (type === "MultiLineString")
    return each(coordinates).map((line) => ({ kind: "LineString", places: readPlaces(line) }));
  if (type === "Polygon") return [ring(coordinates)];
  if (type === "MultiPolygon") return each(coordinates).map(ring);
  if (type === "GeometryCollection") return each(geometries).flatMap(partsOf);
  return [];
}

function readColor(properties: Record<string, unknown>): number {
  const given = properties["stroke"] ?? properties["marker-color"] ?? properties["fill"];
  return Math.max(0, (COLORS as readonly unknown[]).indexOf(typeof given === "string" ? given.toLowerCase() : given));
}

function readFeature(feature: unknown): Shape[] {
  const { geometry, properties } = (feature ?? {}) as {
    geometry?: unknown;
    properties?: Record<string, unknown> | null;
  };
  const known = properties ?? {};
  const given = known["name"] ?? known["title"] ?? known["ten"] ?? "";
  const name = String(given).slice(0, LONGEST_NAME);
  return partsOf(geometry)
    .filter(({ kind, places }) => places.length > (kind === "Polygon" ? 2 : kind === "LineString" ? 1 : 0))
    .map(({ kind, places }) => ({
      kind: kind === "Point" && known["kind"] === "Note" ? "Note" : kind,
      name,
      color: readColor(known),
      places,
    }));
}

/** Read a GeoJSON file; `most` shapes are taken, and `left` says how many were not. */
export async function readDrawingFile(file: File, most: number): Promise<{ shapes: Shape[]; left: number }> {
  if (file.size > LARGEST_FILE) throw new Error(t("draw.tooLarge"));
  let content: unknown;
  try {
    content = JSON.parse(await file.text());
  } catch {
    throw new Error(t("draw.notJson"));
  }
  const { type, features } = (content ?? {}) as Record<string, unknown>;
  const whole = type === "FeatureCollection" && Array.isArray(features) ? features : [content];
  const all = whole.flatMap((one) =>
    (one as { type?: unknown } | null)?.type === "Feature" ? readFeature(one) : readFeature({ geometry: one }),
  );
  if (all.length === 0) throw new Error(t("draw.nothing"));
  const shapes = all.slice(0, Math.max(0, most));
  if (shapes.reduce((count, shape) => count + shape.places.length, 0) > MOST_PLACES)
    throw new Error(t("draw.tooMany", { most: MOST_PLACES }));
  return { shapes, left: all.length - shapes.length };
}
