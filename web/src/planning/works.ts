/** What a planner would change: ponds, canals, roads, dykes, gates and pumps, as they stand in the link and go to the server. */

import { makeSlice } from "../slices";

export type DrawnKind = "pond" | "canal" | "road" | "dyke";
export type PickedKind = "gate" | "pump";
export type WorkKind = DrawnKind | PickedKind;

/** A drawing with its sizes [m], or a gate or pump by its id. */
export interface Work {
  kind: WorkKind;
  places: GeoJSON.Position[];
  sizes: number[];
  id: string;
}

export interface Size {
  name: "depth" | "width" | "height";
  first: number;
  most: number;
}

const LEAST = 0.1;
const DIGITS = 6;
const MOST_PLACES = 500;

const depth: Size = { name: "depth", first: 2, most: 20 };

/** The sizes of each kind with what they are at first and at most [m]. */
export const SIZES: Record<DrawnKind, readonly Size[]> = {
  pond: [depth],
  canal: [{ name: "width", first: 20, most: 500 }, depth],
  road: [
    { name: "width", first: 12, most: 100 },
    { name: "height", first: 0.5, most: 10 },
  ],
  dyke: [{ name: "height", first: 1, most: 10 }],
};

export const DRAWN: readonly DrawnKind[] = ["pond", "canal", "road", "dyke"];
const KINDS: readonly WorkKind[] = [...DRAWN, "gate", "pump"];

export const isDrawn = (kind: WorkKind): kind is DrawnKind => (DRAWN as readonly string[]).includes(kind);

/** Return a size brought within its limits, or null for what is no number. */
export function readSize(text: string, size: Size): number | null {
  const value = Number(text.replace(",", "."));
  return text.trim() !== "" && value >= LEAST && value <= size.most ? value : null;
}

function readWork(text: string): Work | null {
  const [word, middle, last] = text.split(":");
  const kind = KINDS.find((one) => one === word);
  if (!kind || !middle) return null;
  if (!isDrawn(kind)) return { kind, places: [], sizes: [], id: decodeURIComponent(middle) };
  const sizes = SIZES[kind].map((size, place) => readSize(middle.split(",")[place] ?? "", size) ?? size.first);
  const numbers = (last ?? "").split(",").map(Number);
  if (numbers.length < 4 || numbers.length > 2 * MOST_PLACES || !numbers.every(Number.isFinite)) return null;
  const places = Array.from({ length: numbers.length >> 1 }, (_, at) => [numbers[2 * at]!, numbers[2 * at + 1]!]);
  return { kind, places, sizes, id: "" };
}

function writeWork({ kind, places, sizes, id }: Work): string {
  if (!isDrawn(kind)) return `${kind}:${encodeURIComponent(id)}`;
  const written = places.flatMap(([lon, lat]) => [lon!.toFixed(DIGITS), lat!.toFixed(DIGITS)]);
  return `${kind}:${sizes.join(",")}:${written.join(",")}`;
}

/** The changes, in the order they were made. */
export const works = makeSlice<readonly Work[]>(
  "works",
  (text) => (text ?? "").split(";").flatMap((part) => readWork(part) ?? []),
  (value) => (value.length > 0 ? value.map(writeWork).join(";") : null),
);

/** Return the shape of a drawing, null for a gate or pump. */
export function shapeOf({ kind, places }: Work): GeoJSON.Polygon | GeoJSON.LineString | null {
  if (!isDrawn(kind)) return null;
  if (kind === "pond") return { type: "Polygon", coordinates: [places] };
  return { type: "LineString", coordinates: places };
}

const pairs = (places: GeoJSON.Position[]): string =>
  places.map(([lon, lat]) => `${lon!.toFixed(DIGITS)} ${lat!.toFixed(DIGITS)}`).join(", ");

/** Return the inputs of a flood scenario that make the changes. */
export function writeInputs(list: readonly Work[]): Record<string, unknown> {
  const of = (kind: WorkKind): Work[] => list.filter((work) => work.kind === kind);
  const lines = (kind: DrawnKind): Record<string, unknown>[] =>
    of(kind).map(({ places, sizes }) => ({
      line: `LINESTRING (${pairs(places)})`,
      ...Object.fromEntries(SIZES[kind].map(({ name }, place) => [name, sizes[place]])),
    }));
  const inputs: Record<string, unknown[]> = {
    ponds: of("pond").map(({ places, sizes }) => ({ area: `POLYGON ((${pairs(places)}))`, depth: sizes[0] })),
    canals: lines("canal"),
    raised_roads: lines("road"),
    new_dykes: lines("dyke"),
    gates_closed: of("gate").map(({ id }) => id),
    pumps_off: of("pump").map(({ id }) => id),
  };
  return Object.fromEntries(Object.entries(inputs).filter(([, values]) => values.length > 0));
}

/** The flood that the changes are tried in. */
export interface Trial {
  /** Rain [mm] in so many hours. */
  rain: number;
  hours: number;
  /** Added to the forecast stage [m]. */
  surge: number;
  /** Length of the run [h] and side of a cell [m]. */
  horizon: number;
  cell: number;
}

export const FIRST_TRIAL: Trial = { rain: 100, hours: 3, surge: 0.3, horizon: 12, cell: 15 };
const ORDER = ["rain", "hours", "surge", "horizon", "cell"] as const;

/** Limits of the trial's numbers, as the server has them. */
export const TRIAL_LIMITS: Record<keyof Trial, readonly [number, number]> = {
  rain: [0, 1000],
  hours: [0.5, 24],
  surge: [-1, 3],
  horizon: [1, 72],
  cell: [5, 90],
};

export const trial = makeSlice<Trial>(
  "trial",
  (text) => {
    const numbers = (text ?? "").split(",").map(Number);
    const read = { ...FIRST_TRIAL };
    ORDER.forEach((name, place) => {
      const [least, most] = TRIAL_LIMITS[name];
      const value = numbers[place];
      if (text && value !== undefined && value >= least && value <= most) read[name] = value;
    });
    return read;
  },
  (value) => {
    const words = ORDER.map((name) => value[name]).join(",");
    return words === ORDER.map((name) => FIRST_TRIAL[name]).join(",") ? null : words;
  },
);

/** Return the inputs of the flood without any change. */
export function writeTrial({ rain, hours, surge, horizon, cell }: Trial, start: string): Record<string, unknown> {
  return {
    base_time: start,
    horizon_hours: horizon,
    cell_size: cell,
    stage_offset: surge,
    ...(rain > 0 ? { storm_depth: rain, storm_hours: hours } : {}),
  };
}
