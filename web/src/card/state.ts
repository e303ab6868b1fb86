/** How an item is now: pumping, open, lit, flooded; which devices say so, and what they said in the last day. */

import { readObservations, request } from "../api";
import { drawChart } from "../chart";
import { h, replace } from "../dom";
import { formatDateTime, formatHours, formatNumber, formatReading, formatUnit } from "../format";
import { type Key, say, t } from "../i18n";
import { empty, section } from "../panels/parts";
import type { Selection } from "../state";
import type { Words } from "../types";
import { fill } from "./internal";

const HOURS_BACK = 24;
const HEIGHT = 120;
const SECONDS_PER_HOUR = 3600;
/** Kinds of sensors whose readings have words of their own. */
const KINDS: Record<string, string> = {
  pump_state: "pump",
  bay_occupied: "parking_bay",
  gate_opening: "gate",
  light_level: "light",
  filling_level: "bin_level",
};

interface Said {
  state: string;
  value: number | null;
  unit: string | null;
  time: string | null;
  age: number | null;
  stale: boolean;
}

interface StateReading extends Said {
  datastream: string;
  observed_property: string;
  title: Words;
}

interface ItemState extends Said {
  title: Words;
  basis: string;
  note: Words | null;
  flooding: { depth: number | null; depth_max: number | null } | null;
  readings: StateReading[];
}

const kindOf = (reading: StateReading | undefined): string => KINDS[reading?.observed_property ?? ""] ?? "";

function ageLine({ time, age, stale }: Said): HTMLElement | null {
  if (!time) return null;
  const words = t("item.age", { time: formatDateTime(time), age: formatHours((age ?? 0) / SECONDS_PER_HOUR) });
  return h("span", { class: "soft" }, words, stale ? h("strong", { class: "stale" }, ` · ${t("item.stale")}`) : null);
}

async function drawDay(holder: HTMLElement, reading: StateReading): Promise<void> {
  const end = new Date();
  const start = new Date(end.getTime() - HOURS_BACK * SECONDS_PER_HOUR * 1000);
  await fill(
    holder,
    () => readObservations(reading.datastream, start, end),
    ({ times, results }) => {
      if (times.length === 0) return empty(t("sensors.noData"));
      const chart = h("div", { class: "chart", "data-chart": "item" });
      const label = say(reading.title, reading.datastream);
      void drawChart(chart, {
        times: times.map((moment) => Date.parse(moment) / 1000),
        series: [{ label, color: "#1f6fb2", values: results, width: 2 }],
        unit: formatUnit(reading.unit),
        height: HEIGHT,
        label: `${label}: ${t("item.last24")}`,
      });
      return chart;
    },
  );
}

function readingRow(reading: StateReading, chart: HTMLElement): HTMLElement {
  const value = formatReading(reading.value, reading.unit ?? "", kindOf(reading), 3);
  return h(
    "div",
    { class: "reading" },
    h(
      "button",
      { type: "button", class: "link-button reading-title", onclick: () => void drawDay(chart, reading) },
      say(reading.title, reading.datastream),
    ),
    h("strong", { class: "reading-value" }, value),
    ageLine(reading),
  );
}

function floodLine({ flooding, basis }: ItemState): HTMLElement | null {
  if (!flooding || basis === "flood") return null;
  const { depth, depth_max: deepest } = flooding;
  const words =
    (deepest ?? 0) > 0
      ? t("item.depthNow", { depth: formatNumber(depth ?? 0, 2), max: formatNumber(deepest, 2) })
      : t("item.noWater");
  return h("p", { class: "soft" }, `${t("item.flooding")}: ${words}`);
}

/** Build what is said of the state; nothing where nobody knows anything. */
function statePart(state: ItemState): HTMLElement | null {
  if (state.basis === "none" && !state.flooding && state.readings.length === 0) return null;
  const chart = h("div");
  const first = state.readings[0];
  if (first) void drawDay(chart, first);
  const value = state.value === null || first ? "" : formatReading(state.value, state.unit ?? "", "", 2);
  return h(
    "div",
    {},
    state.basis === "none"
      ? null
      : h(
          "p",
          { class: "state-line" },
          h("strong", { class: "state-word" }, say(state.title)),
          value ? h("span", {}, value) : null,
          h("span", { class: "soft" }, t(`item.basis_${state.basis}` as Key)),
        ),
    first ? null : ageLine(state),
    state.note ? h("p", { class: "soft" }, say(state.note)) : null,
    floodLine(state),
    first
      ? h(
          "section",
          {},
          h("h4", { class: "part-title" }, t("item.watching")),
          h("div", { class: "readings" }, ...state.readings.map((reading) => readingRow(reading, chart))),
          chart,
        )
      : null,
  );
}

/** Build the part; it stays away where nothing is known of the item's state. */
export function liveState({ layer, id }: Selection): HTMLElement {
  const holder = h("div");
  const element = section(t("item.state"), holder);
  const path = `/state/${encodeURIComponent(layer)}/${encodeURIComponent(id)}`;
  void fill(
    holder,
    () => request<ItemState>(path),
    (state) => {
      const part = statePart(state);
      element.hidden = part === null;
      if (part === null) replace(holder);
      return part;
    },
  );
  return element;
}
