/** The question in the state and what the server answered: asked anew whenever the question changes. */

import { askProcess, readFeatures } from "../api";
import { announce } from "../data";
import { getState, setState, watch } from "../state";
import type { Result } from "../types";
import { isComplete, type Question, toInputs } from "./question";
import { type AnyFigures, isIsolation } from "./words";

/** More links than these are drawn from tiles. */
const MOST_LINKS = 5000;

export interface Answer {
  question: Question;
  figures: AnyFigures;
  /** Features by output; null where there are too many of them to hand over. */
  features: Record<string, GeoJSON.Feature[]> | null;
}

export let answer: Answer | null = null;
export let problem: unknown = null;
export let isAsking = false;

let request: AbortController | null = null;

async function readOutputs(results: Record<string, Result>, signal: AbortSignal): Promise<Answer["features"]> {
  const outputs = Object.entries(results).filter(([name]) => name !== "summary");
  const read = async ([name, result]: [string, Result]): Promise<[string, GeoJSON.Feature[]]> => {
    const value = result.href ? await readFeatures(result.href, signal) : (result.value as GeoJSON.FeatureCollection);
    return [name, value.features];
  };
  return Object.fromEntries(await Promise.all(outputs.map(read)));
}

/** Ask what the state holds; an answer that comes too late is dropped. */
export async function ask(): Promise<void> {
  request?.abort();
  const { question } = getState();
  problem = null;
  isAsking = isComplete(question);
  if (!isAsking) {
    answer = null;
    announce("network");
    return;
  }
  request = new AbortController();
  const { signal } = request;
  announce("network");
  try {
    const { process, inputs } = toInputs(question);
    const results = await askProcess(process, inputs, signal);
    const figures = results["summary"]?.value as AnyFigures;
    const links = isIsolation(figures) ? figures.without_water.link_count : figures.link_count;
    const features = links > MOST_LINKS ? null : await readOutputs(results, signal);
    if (signal.aborted) return;
    answer = { question, figures, features };
  } catch (error) {
    if (signal.aborted) return;
    answer = null;
    problem = error;
  }
  isAsking = false;
  announce("network");
}

/** Change parts of the question; the state then asks by itself. */
export function changeQuestion(change: Partial<Question>): void {
  setState({ question: { ...getState().question, ...change } });
}

/** Follow the state from now on. */
export function followQuestion(): void {
  watch(["question"], () => void ask());
  if (isComplete(getState().question) && getState().question.starts.length > 0) void ask();
}
