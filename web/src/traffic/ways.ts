/** Ways between places as the server answers them: asked dry and under water, and drawn. */

import { askProcess, readFeatures } from "../api";
import type { Flag } from "../map/network";
import { boundsOf } from "../map/pick";
import { splitPlace } from "../networks/places";
import type { Box } from "../networks/words";
import type { Result, Words } from "../types";
import { type Journey, toConditions } from "./journey";

export interface Step {
  kind: string;
  modifier?: string;
  text: Words;
  name: string | null;
  /** [m] and [s]. */
  length: number;
  duration: number;
  location: [number, number];
}

export interface Way {
  length: number;
  duration: number;
  arrival: string | null;
  streets: string[];
  steps?: Step[];
}

interface RouteSummary {
  places: ({ location: [number, number]; distance: number; name: string } | null)[];
  routes: Way[];
  works: { id: string; name: string; until: string | null; closes: boolean }[];
}

export interface Ways {
  summary: RouteSummary;
  lines: GeoJSON.Feature[];
}

const CHOSEN = { color: "#1b5fc1", width: 6, order: 2 };
const OTHER = { color: "#7f9fd0", width: 4.5, pattern: "dashed", order: 1 };
const DRY = { color: "#6a6f76", width: 4, pattern: "dotted", order: 0 };
const START = "#0b7a3b";
const VIA = "#7a3b0b";
const END = "#b42323";

/** Return the features of an output, whether it came by value or as a link. */
export async function readOutput(result: Result | undefined, signal: AbortSignal): Promise<GeoJSON.Feature[]> {
  if (!result) return [];
  const found = result.href ? await readFeatures(result.href, signal) : (result.value as GeoJSON.FeatureCollection);
  return found.features;
}

/** Ask for ways over the points of a journey. */
export async function askWays(journey: Journey, isWet: boolean, signal: AbortSignal): Promise<Ways> {
  const places = journey.points.map(splitPlace);
  const [origin, ...rest] = places;
  const destination = rest.pop();
  const inputs = {
    origin,
    destination,
    via: rest,
    alternatives: rest.length > 0 ? 1 : journey.ways,
    ...toConditions(journey, isWet),
  };
  const results = await askProcess("route", inputs, signal);
  const summary = results["summary"]?.value as RouteSummary;
  const lines = await readOutput(results["routes"], signal);
  return { summary, lines: lines.sort((a, b) => Number(a.properties?.["rank"]) - Number(b.properties?.["rank"])) };
}

const dress = (feature: GeoJSON.Feature, look: object): GeoJSON.Feature => ({ ...feature, properties: look });

/** Return what is drawn: the chosen way over the others, over that on dry roads. */
export function drawWays(ways: Ways, chosen: number, dry: Ways | null): GeoJSON.Feature[] {
  const [dryLine] = dry?.lines ?? [];
  const lines = ways.lines.map((line, index) => dress(line, index === chosen ? CHOSEN : OTHER));
  return dryLine ? [dress(dryLine, DRY), ...lines] : lines;
}

/** Return the line on dry roads alone, where water leaves no way. */
export const drawDry = (dry: Ways): GeoJSON.Feature[] => dry.lines.slice(0, 1).map((line) => dress(line, DRY));

export function findBounds(lines: readonly GeoJSON.Feature[]): Box | null {
  if (lines.length === 0) return null;
  return boundsOf({ type: "GeometryCollection", geometries: lines.map(({ geometry }) => geometry) });
}

/** Return the flags of start, places between, and end. */
export function flagsOf(points: readonly string[]): Flag[] {
  return points.map((word, index) => {
    const isEnd = index === points.length - 1 && index > 0;
    const [label, color] = index === 0 ? ["A", START] : isEnd ? ["B", END] : [String(index), VIA];
    return { place: splitPlace(word), label, color };
  });
}
