/** What a network is asked: one value, that a link can carry and the server understands. */

import {
  COMMODITIES,
  type Commodity,
  type Kind,
  kindsOf,
  layersOf,
  NETWORKS,
  needsEnd,
  needsStart,
} from "./commodities";

/** Starts and ends are items `layer/id` or places `lon,lat`; stuck and closed are valves `layer/id`. */
export interface Question {
  commodity: Commodity;
  kind: Kind;
  starts: readonly string[];
  ends: readonly string[];
  barriers: string;
  filter: string;
  throughClosed: boolean;
  stuck: readonly string[];
  closed: readonly string[];
  /** How far a place may lie beside a link [m]. */
  tolerance: number;
}

export const TOLERANCE = 25;
const MOST_PLACES = 50;
const LONGEST_FILTER = 2000;

export const FIRST_QUESTION: Question = {
  commodity: "water",
  kind: "upstream",
  starts: [],
  ends: [],
  barriers: "",
  filter: "",
  throughClosed: false,
  stuck: [],
  closed: [],
  tolerance: TOLERANCE,
};

/** Whether everything is there that the question needs. */
export const isComplete = (question: Question): boolean =>
  (!needsStart(question.kind) || question.starts.length > 0) && (!needsEnd(question.kind) || question.ends.length > 0);

/** Read a condition: `layer: filter` is for one layer, a filter alone for every layer that has its properties. */
function readCondition(text: string, commodity: Commodity): string | Record<string, string> {
  const [, layer = "", filter = ""] = /^(\w+):\s*(.+)$/s.exec(text) ?? [];
  return layersOf(commodity).includes(layer) ? { [layer]: filter } : text;
}

/** Return the process that answers, and its inputs. */
export function toInputs(question: Question): { process: string; inputs: Record<string, unknown> } {
  const { commodity, kind, starts, ends, barriers, filter, stuck, closed, tolerance } = question;
  if (kind === "isolation") return { process: "isolation", inputs: { commodity, starts, stuck, closed, tolerance } };
  const inputs: Record<string, unknown> = { commodity, kind, starts, tolerance, results: NETWORKS[commodity].results };
  if (needsEnd(kind)) inputs["ends"] = ends;
  if (barriers) inputs["barriers"] = readCondition(barriers, commodity);
  if (filter) inputs["filter"] = readCondition(filter, commodity);
  if (question.throughClosed) inputs["through_closed"] = true;
  return { process: "trace", inputs };
}

/** Read a list of words that a link carries. */
export const splitWords = (text: string | null): string[] =>
  (text ?? "").split(";").filter(Boolean).slice(0, MOST_PLACES);

/** Read a question from the parts of a link; what it does not know is left as at first. */
export function readQuestion(hash: URLSearchParams): Question {
  const [network, asked] = (hash.get("net") ?? "").split(".");
  const commodity = COMMODITIES.find((one) => one === network) ?? FIRST_QUESTION.commodity;
  const tolerance = Number(hash.get("near") ?? TOLERANCE);
  return {
    commodity,
    kind: kindsOf(commodity).find((one) => one === asked) ?? FIRST_QUESTION.kind,
    starts: splitWords(hash.get("from")),
    ends: splitWords(hash.get("to")),
    barriers: (hash.get("barriers") ?? "").slice(0, LONGEST_FILTER),
    filter: (hash.get("pass") ?? "").slice(0, LONGEST_FILTER),
    throughClosed: hash.get("closed-too") === "1",
    stuck: splitWords(hash.get("stuck")),
    closed: splitWords(hash.get("closed")),
    tolerance: tolerance > 0 && tolerance <= 500 ? tolerance : TOLERANCE,
  };
}

/** Write a question into a link; one that asks nothing yet leaves no trace there. */
export function writeQuestion(question: Question, hash: URLSearchParams): void {
  const { commodity, kind, starts, ends, barriers, filter, throughClosed, stuck, closed, tolerance } = question;
  if (commodity === FIRST_QUESTION.commodity && kind === FIRST_QUESTION.kind && starts.length === 0) return;
  hash.set("net", `${commodity}.${kind}`);
  if (starts.length > 0) hash.set("from", starts.join(";"));
  if (ends.length > 0 && needsEnd(kind)) hash.set("to", ends.join(";"));
  if (barriers) hash.set("barriers", barriers);
  if (filter) hash.set("pass", filter);
  if (throughClosed) hash.set("closed-too", "1");
  if (stuck.length > 0) hash.set("stuck", stuck.join(";"));
  if (closed.length > 0) hash.set("closed", closed.join(";"));
  if (tolerance !== TOLERANCE) hash.set("near", String(tolerance));
}
