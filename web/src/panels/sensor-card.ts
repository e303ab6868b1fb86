/** What a sensor says: newest readings, and the last three days with the forecast and the alarm levels. */

import { ALARM_COLORS, alarmLevel, mainDatastream, sensorKind } from "../alarm";
import { readForecast, readObservations } from "../api";
import { type ChartContent, type ChartLevel, drawChart, joinTimes } from "../chart";
import { h, replace } from "../dom";
import { deskGauge } from "../flood/gauge-choice";
import { formatDateTime, formatNumber, formatReading, formatShortDateTime, formatUnit } from "../format";
import { type Key, say, t } from "../i18n";
import { setState } from "../state";
import type { Datastream, Observations, Sensor, StageForecast } from "../types";
import { empty, failure, loading, section, textButton } from "./parts";
import { longTable } from "./table";

const HOURS_BACK = 72;
const MOST_NUMBERS = 200;

export function alarmLines(sensor: Sensor): ChartLevel[] {
  const { alarm_1, alarm_2, alarm_3 } = sensor.properties;
  return [alarm_1, alarm_2, alarm_3].flatMap((value, index): ChartLevel[] => {
    if (typeof value !== "number") return [];
    return [{ value, label: t(`alarm.${index + 1}` as Key), color: ALARM_COLORS[(index + 1) as 1 | 2 | 3] }];
  });
}

/** Build the chart of readings and forecast on one time axis. */
export function stageChart(
  past: Observations | null,
  forecast: StageForecast | null,
  levels: ChartLevel[],
  unit: string,
  label: string,
): ChartContent {
  const { times, columns } = joinTimes(
    { times: past?.times ?? [], columns: [past?.results ?? []] },
    {
      times: forecast?.times ?? [],
      columns: forecast ? [forecast.stage, forecast.lower, forecast.upper] : [[], [], []],
    },
  );
  const [observed = [], stage = [], lower = [], upper = []] = columns;
  const series = past ? [{ label: t("sensors.observed"), color: "#1f6fb2", values: observed, width: 2 }] : [];
  if (forecast) series.push({ label: t("sensors.forecast"), color: "#7a4fb5", values: stage, width: 2 });
  const bands = forecast ? [{ label: t("sensors.band"), color: "#7a4fb5", lower, upper }] : [];
  return { times, series, bands, levels, unit, label };
}

/** Build the row of a series; with `onclick` it is a button that shows the series in the chart. */
function readingRow(stream: Datastream, kind: string, onclick: (() => void) | null): HTMLElement {
  const value = formatReading(stream.result, stream.unit, kind, 3);
  const quality =
    stream.quality === null ? "" : t(`quality.${[1, 2, 3, 4, 9].includes(stream.quality) ? stream.quality : 2}` as Key);
  return h(
    "div",
    { class: "reading" },
    onclick
      ? h("button", { type: "button", class: "link-button reading-title", onclick }, say(stream.title, stream.id))
      : h("span", { class: "reading-title" }, say(stream.title, stream.id)),
    h("strong", { class: "reading-value" }, value),
    h("span", { class: "soft" }, `${formatDateTime(stream.phenomenon_time)}${quality ? ` · ${quality}` : ""}`),
  );
}

/** The readings as numbers, the newest first; built when it is opened. */
function numbersOf(past: Observations, unit: string): HTMLElement {
  const details = h("details", { class: "more" }, h("summary", {}, t("sensors.asNumbers")));
  details.addEventListener("toggle", () => {
    if (!details.open || details.childElementCount > 1) return;
    const rows = past.times
      .map((time, at): [string, string] => [formatShortDateTime(time), `${formatNumber(past.results[at], 3)} ${unit}`])
      .reverse()
      .slice(0, MOST_NUMBERS);
    details.append(longTable([t("sensors.time"), t("sensors.observed")], rows));
  });
  return details;
}

async function fillChart(
  holder: HTMLElement,
  note: HTMLElement,
  numbers: HTMLElement,
  sensor: Sensor,
  stream: Datastream,
): Promise<void> {
  replace(holder, loading());
  replace(numbers);
  const end = new Date();
  const start = new Date(end.getTime() - HOURS_BACK * 3600e3);
  try {
    const isStage = sensor.properties.kind === "stage";
    const [past, forecast] = await Promise.all([
      readObservations(stream.id, start, end),
      isStage ? readForecast(stream.id) : null,
    ]);
    if (past.times.length === 0 && !forecast) {
      replace(holder, empty(t("sensors.noData")));
      return;
    }
    const levels = isStage ? alarmLines(sensor) : [];
    const label = `${sensor.properties.name}: ${say(stream.title, stream.id)}`;
    await drawChart(holder, stageChart(past, forecast, levels, formatUnit(stream.unit), label));
    numbers.append(numbersOf(past, formatUnit(stream.unit)));
    note.textContent = forecast ? t("sensors.issued", { time: formatShortDateTime(forecast.issue_time) }) : "";
  } catch (error) {
    replace(
      holder,
      failure(error, () => void fillChart(holder, note, numbers, sensor, stream)),
    );
  }
}

/** Build the live part of a sensor's card. */
export function sensorPart(sensor: Sensor): HTMLElement {
  const level = alarmLevel(sensor);
  const kind = sensorKind(sensor.properties.kind);
  const { datastreams } = sensor.properties;
  const main = mainDatastream(sensor);
  const holder = h("div", { class: "chart", "data-chart": "sensor" });
  const note = h("p", { class: "soft note" });
  const numbers = h("div");
  if (main) void fillChart(holder, note, numbers, sensor, main);
  const chart = (stream: Datastream) =>
    datastreams.length > 1 ? () => void fillChart(holder, note, numbers, sensor, stream) : null;
  const toDesk =
    sensor.properties.kind === "stage"
      ? textButton(
          t("sensors.toDesk"),
          () => {
            deskGauge.set(sensor.id);
            setState({ tab: "flood", desk: "now", panelOpen: true });
          },
          "button-small",
        )
      : null;
  const state =
    sensor.properties.kind === "stage"
      ? h("span", { class: "badge", style: `--badge:${ALARM_COLORS[level]}` }, t(`alarm.${level}` as Key))
      : null;
  return h(
    "div",
    {},
    h("p", { class: "card-tags" }, h("span", { class: "soft" }, say(kind?.label, sensor.properties.kind)), state),
    h(
      "div",
      { class: "readings" },
      ...datastreams.map((stream) => readingRow(stream, sensor.properties.kind, chart(stream))),
    ),
    main ? section(t("sensors.last72"), holder, note, numbers, toDesk) : empty(t("sensors.noReading")),
  );
}
