/** What people draw on the map for each other: kept in the link where it fits. */

import { makeSlice } from "../slices";
import { packPlaces, unpackPlaces } from "./packing";

export type ShapeKind = "Point" | "LineString" | "Polygon" | "Note";

/** A drawn point, line, area (one ring) or note: a name, a colour, its places. */
export interface Shape {
  kind: ShapeKind;
  name: string;
  /** Index into `COLORS`. */
  color: number;
  places: [number, number][];
}

/** Colours that are told apart also by people who see colours otherwise (Okabe and Ito 2008, darkened). */
export const COLORS = ["#c23b22", "#0b6fa4", "#1b7f5c", "#8a5a00", "#8c3f8f", "#333f48"] as const;
export const SHAPE_KINDS: readonly ShapeKind[] = ["Point", "LineString", "Polygon", "Note"];
export const MOST_SHAPES = 500;
export const LONGEST_NAME = 80;
/** What browsers, mail and chat pass on without harm. */
export const LONGEST_LINK = 3000;

const LETTERS = "plan";

/** Parts are told by "!", so a name has none of its own. */
const escapeName = (name: string): string => name.replaceAll("~", "~0").replaceAll("!", "~1");
const readName = (text: string): string => text.replaceAll("~1", "!").replaceAll("~0", "~");

const writeShape = (shape: Shape): string =>
  [`${LETTERS[SHAPE_KINDS.indexOf(shape.kind)]}${shape.color}`, escapeName(shape.name), packPlaces(shape.places)].join(
    "!",
  );

function readShape(text: string): Shape | null {
  const [head = "", name = "", packed = ""] = text.split("!");
  const kind = SHAPE_KINDS[LETTERS.indexOf(head[0] ?? "?")];
  const places = unpackPlaces(packed);
  const color = Number(head.slice(1));
  if (!kind || !places || places.length === 0 || !(color in COLORS)) return null;
  return { kind, color, name: readName(name).slice(0, LONGEST_NAME), places };
}

export const writeShapes = (shapes: readonly Shape[]): string => shapes.map(writeShape).join("!!");

export const readShapes = (text: string | null): readonly Shape[] =>
  (text ?? "").split("!!").flatMap((part) => readShape(part) ?? []);

/** Whether all that is drawn goes with the link. */
export const fitsLink = (shapes: readonly Shape[]): boolean =>
  encodeURIComponent(writeShapes(shapes)).length <= LONGEST_LINK;

export const drawing = makeSlice<readonly Shape[]>("draw", readShapes, (shapes) =>
  shapes.length > 0 && fitsLink(shapes) ? writeShapes(shapes) : null,
);

/** Return a shape as GeoJSON. */
export function geometryOfShape({ kind, places }: Shape): GeoJSON.Point | GeoJSON.LineString | GeoJSON.Polygon {
  if (kind === "LineString") return { type: "LineString", coordinates: places };
  if (kind === "Polygon") return { type: "Polygon", coordinates: [[...places, places[0] ?? [0, 0]]] };
  return { type: "Point", coordinates: places[0] ?? [0, 0] };
}

/** Return the places of a drawn geometry; a ring is not closed. */
export function placesOf(geometry: GeoJSON.Geometry): [number, number][] {
  const at = (place: GeoJSON.Position): [number, number] => [place[0] ?? 0, place[1] ?? 0];
  if (geometry.type === "Point") return [at(geometry.coordinates)];
  if (geometry.type === "LineString") return geometry.coordinates.map(at);
  if (geometry.type === "Polygon") return (geometry.coordinates[0] ?? []).slice(0, -1).map(at);
  return [];
}
