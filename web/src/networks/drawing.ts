/** From an answer to what is drawn of it: colours by role, the order on the valves, flags at the places asked. */

import { findVectorLayer } from "../data";
import { type Drawing, type Flag, FOUND_COLOR } from "../map/network";
import type { Answer } from "./asking";
import { layersOf } from "./commodities";
import { findPlace } from "./places";
import type { Question } from "./question";

const START = "#0b7a3b";
const END = "#7a3b0b";
const STUCK = "#8a6fa8";
const CLOSED = "#4a4a55";

/** Sizes of points by role: what is passed is small, what somebody has to walk to is large [px]. */
const SIZES: Record<string, number> = { passed: 3, barrier: 6, source: 7, sink: 7, close: 11, close_idle: 10, feed: 9 };
const OTHER_SIZE = 8;
/** Points that a flag stands on already. */
const FLAGGED = new Set(["start", "end"]);

/** Return the colour that the legend of a layer gives to a role. */
export function roleColor(layer: string, role: unknown): string {
  return findVectorLayer(layer)?.legend.find((entry) => entry.value === role)?.color ?? FOUND_COLOR;
}

function dress(layer: string, feature: GeoJSON.Feature): GeoJSON.Feature {
  const { role, position, ...rest } = feature.properties ?? {};
  const isValve = layer === "isolation_valves";
  const properties = {
    ...rest,
    role,
    color: role ? roleColor(layer, role) : FOUND_COLOR,
    size: SIZES[String(role)] ?? OTHER_SIZE,
    ...(isValve && position ? { label: String(position) } : {}),
  };
  return { ...feature, properties };
}

export function drawAnswer(answer: Answer): Drawing {
  const { features, question, figures } = answer;
  if (features) {
    const outputs = Object.entries(features);
    const dressed = outputs.flatMap(([layer, found]) => found.map((feature) => dress(layer, feature)));
    return { features: dressed.filter(({ properties }) => !FLAGGED.has(properties?.["role"])), tiles: [] };
  }
  const filter = `in_trace('${figures.id}')`;
  return { features: [], tiles: layersOf(question.commodity).map((layer) => ({ layer, filter })) };
}

/** Return the flags of starts, ends and valves that somebody declared; places that cannot be found have none. */
export async function findFlags(question: Question): Promise<Flag[]> {
  const groups: [readonly string[], string, (index: number) => string][] = [
    [question.starts, START, (index) => (question.kind === "isolation" ? "!" : String(index + 1))],
    [question.ends, END, () => "→"],
    [question.stuck, STUCK, () => "×"],
    [question.closed, CLOSED, () => "–"],
  ];
  const flags = groups.flatMap(([words, color, label]) =>
    words.map(async (word, index): Promise<Flag[]> => {
      const place = await findPlace(word);
      return place ? [{ place, color, label: label(index) }] : [];
    }),
  );
  return (await Promise.all(flags)).flat();
}
