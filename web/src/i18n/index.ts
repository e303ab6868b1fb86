/** Words in the chosen language. */

import { ApiError } from "../api";
import { getState, type Lang } from "../state";
import type { Words } from "../types";
import type { AccountKey } from "./account-vi";
import type { AlarmsKey } from "./alarms-vi";
import type { DeskKey } from "./desk-vi";
import { en } from "./en";
import type { PlanningKey } from "./planning-vi";
import type { TableKey } from "./table-vi";
import type { ToolsKey } from "./tools-vi";
import type { TrafficKey } from "./traffic-vi";
import type { TreeKey } from "./tree-vi";
import { type Key as FirstKey, vi } from "./vi";
import type { WarningsKey } from "./warnings-vi";
import type { WorkKey } from "./work-vi";

/** Words of the first view, and of panels that bring their own when they are opened. */
export type Key =
  | FirstKey
  | AccountKey
  | AlarmsKey
  | DeskKey
  | PlanningKey
  | TableKey
  | ToolsKey
  | TrafficKey
  | TreeKey
  | WarningsKey
  | WorkKey;

const words: Record<Lang, Record<string, string>> = { vi: { ...vi }, en: { ...en } };

/** Add the words of a panel that is loaded later. */
export function addWords(more: Record<Lang, Record<string, string>>): void {
  for (const lang of ["vi", "en"] as const) Object.assign(words[lang], more[lang]);
}

/** Return the words of `key`, with `{name}` replaced from `values`. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text = words[getState().lang][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Return the words of a text that the server wrote in both languages. */
export function say(words: Words | string | null | undefined, otherwise = ""): string {
  if (!words) return otherwise;
  if (typeof words === "string") return words;
  return words[getState().lang] || words.vi || words.en || otherwise;
}

/** Return the chosen half of a line that says the same twice, "Vietnamese — English"; any other line whole. */
export function sayHalf(line: string): string {
  const halves = line.split(" — ");
  return halves.length === 2 ? (halves[getState().lang === "vi" ? 0 : 1] ?? line) : line;
}

/** Say in plain words why a request failed. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return t("error.offline");
  const detail = error.hint ? `${error.message} (${error.hint})` : error.message;
  if (error.status === 404) return t("error.notFound", { detail });
  return t(error.status >= 500 ? "error.server" : "error.request", { detail });
}
