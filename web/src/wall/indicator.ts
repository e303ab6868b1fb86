/** Indicators as the server tells them, and how their values are written. */

import { request } from "../api";
import { formatDateTime, formatNumber, formatTime, parseMoment } from "../format";
import { t } from "../i18n";
import type { IconName } from "../icons";
import type { Words } from "../types";

export type IndicatorState = "good" | "watch" | "bad" | "unknown";

export interface Indicator {
  id: string;
  theme: string;
  title: Words;
  description: Words;
  value: number | null;
  unit: string;
  symbol: string;
  digits: number;
  state: IndicatorState;
  state_title: Words;
  reason: Words;
  limits: {
    watch: number | null;
    bad: number | null;
    direction: "above" | "below";
    of: "value" | "share";
    source: Words | null;
  };
  change: number | null;
  time: string | null;
  count: number;
  of: number | null;
  parts: { id: string; title: Words; value: number }[];
  recent: (number | null)[];
  links: { self: string; items: string; history?: string };
}

export interface IndicatorItem {
  layer: string | null;
  id: string;
  name: string;
  value: number | null;
  position: [number, number] | null;
}

export const STATE_ICONS: Record<IndicatorState, IconName> = {
  good: "check",
  watch: "warning",
  bad: "bell",
  unknown: "info",
};

/** Return all indicators, or those a query asks for. */
export const readIndicators = async (query = ""): Promise<Indicator[]> =>
  (await request<{ indicators: Indicator[] }>(`/indicators${query}`)).indicators;

export const readIndicator = (id: string): Promise<Indicator & { items: IndicatorItem[] }> =>
  request(`/indicators/${encodeURIComponent(id)}`);

/** Write a value and its unit apart, so that the value can be large. */
export function writeValue({ value, unit, symbol, digits }: Indicator): [value: string, unit: string] {
  if (value === null) return ["–", ""];
  if (unit === "m2") return value >= 1e6 ? [formatNumber(value / 1e6, 2), "km²"] : [formatNumber(value / 1e4, 1), "ha"];
  if (unit === "min" && value >= 120) return [formatNumber(value / 60, 0), t("wall.hours")];
  if (unit === "min") return [formatNumber(value, 0), t("wall.minutes")];
  if (unit === "{people}") return [formatNumber(value, 0), t("unit.people")];
  return [formatNumber(value, digits), symbol];
}

/** Whether the number of all things it is counted of belongs beside the value. */
export const isCount = (one: Indicator): boolean => one.unit === "{#}" && one.of !== null && one.value !== null;

/** Say how old a moment is, in as few words as there are; one of hours ago by its time, of another day with its date. */
export function sayAge(moment: string | null): string {
  const at = parseMoment(moment);
  if (!at) return "–";
  const minutes = Math.round((Date.now() - at.getTime()) / 60_000);
  if (minutes < 1) return t("wall.justNow");
  if (minutes < 120) return t("wall.age", { minutes });
  return minutes < 12 * 60 ? formatTime(at) : formatDateTime(at);
}
