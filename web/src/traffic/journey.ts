/** What is asked of the roads: ways between places, or how far one comes; one value that a link can carry. */

import { isPlace } from "../networks/places";

export const MODES = ["motorbike", "car", "truck", "bus", "ambulance", "bicycle", "foot"] as const;
export type Mode = (typeof MODES)[number];

/** Places are words `lon,lat`; of a way the first is the start, the last the end. */
export interface Journey {
  points: readonly string[];
  /** Where reach is measured from. */
  origins: readonly string[];
  mode: Mode;
  /** When one leaves, as the contract writes moments; null is on free roads. */
  depart: string | null;
  /** How many ways are shown. */
  ways: number;
  minutes: readonly number[];
  /** Height, width [m] and weight [t] of a truck; null is the usual one. */
  size: readonly [number | null, number | null, number | null];
  /** A run of a flood whose water is on the roads, and its moment; null is the deepest water. */
  flood: string | null;
  floodTime: string | null;
}

export const MOST_POINTS = 12;
export const WAYS = [1, 2, 3] as const;
export const MOST_MINUTES = 6;

export const FIRST_JOURNEY: Journey = {
  points: [],
  origins: [],
  mode: "motorbike",
  depart: null,
  ways: 3,
  minutes: [5, 10, 15],
  size: [null, null, null],
  flood: null,
  floodTime: null,
};

function readPlaces(text: string | null): string[] {
  const words = (text ?? "").split(";");
  return words.filter(isPlace).slice(0, MOST_POINTS);
}

/** Read minutes as people write them, in order and each once. */
export function readMinutes(text: string): number[] {
  const found = text.split(/[;,\s]+/).map(Number);
  const wanted = new Set(found.filter((minutes) => minutes >= 1 && minutes <= 180));
  return [...wanted].sort((a, b) => a - b).slice(0, MOST_MINUTES);
}

const readSize = (text: string | undefined): number | null => (Number(text) > 0 ? Number(text) : null);

/** Return what ways and reach are asked alike, dry or under the chosen water. */
export function toConditions(journey: Journey, isWet: boolean): Record<string, unknown> {
  const { mode, depart, size, flood, floodTime } = journey;
  const [height, width, weight] = mode === "truck" ? size : [null, null, null];
  const asked = {
    mode,
    departure: depart,
    height,
    width,
    weight,
    flood_run: isWet ? flood : null,
    flood_at: isWet && flood ? floodTime : null,
  };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null));
}

/** Read a journey from the parts of a link; what it does not know is left as at first. */
export function readJourney(hash: URLSearchParams): Journey {
  const ways = Number(hash.get("ways"));
  const minutes = readMinutes(hash.get("minutes") ?? "");
  const [height, width, weight] = (hash.get("size") ?? "").split(";");
  const depart = hash.get("depart");
  return {
    points: readPlaces(hash.get("by")),
    origins: readPlaces(hash.get("origin")),
    mode: MODES.find((mode) => mode === hash.get("mode")) ?? FIRST_JOURNEY.mode,
    depart: depart && !Number.isNaN(Date.parse(depart)) ? depart : null,
    ways: WAYS.find((one) => one === ways) ?? FIRST_JOURNEY.ways,
    minutes: minutes.length > 0 ? minutes : FIRST_JOURNEY.minutes,
    size: [readSize(height), readSize(width), readSize(weight)],
    flood: hash.get("water"),
    floodTime: hash.get("water-time"),
  };
}

/** Write a journey into a link; one that asks nothing yet leaves no trace there. */
export function writeJourney(journey: Journey, hash: URLSearchParams): void {
  const { points, origins, mode, depart, ways, minutes, size, flood, floodTime } = journey;
  if (points.length > 0) hash.set("by", points.join(";"));
  if (origins.length > 0) hash.set("origin", origins.join(";"));
  if (mode !== FIRST_JOURNEY.mode) hash.set("mode", mode);
  if (depart) hash.set("depart", depart);
  if (ways !== FIRST_JOURNEY.ways) hash.set("ways", String(ways));
  if (minutes.join() !== FIRST_JOURNEY.minutes.join()) hash.set("minutes", minutes.join(";"));
  if (size.some((one) => one !== null)) hash.set("size", size.map((one) => one ?? "").join(";"));
  if (flood) hash.set("water", flood);
  if (floodTime) hash.set("water-time", floodTime);
}
