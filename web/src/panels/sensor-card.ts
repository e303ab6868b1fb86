/** What a sensor says: newest readings, and the last three days with the forecast and the alarm levels. */

import { ALARM_COLORS, alarmLevel, mainDatastream, sensorKind } from "../alarm";
import { readForecast, readObservations } from "../api";
import { type ChartContent, type ChartLevel, drawChart, joinTimes } from "../chart";
import { h, replace } from "../dom";
import { formatDateTime, formatReading, formatShortDateTime, formatUnit } from "../format";
import { type Key, say, t } from "../i18n";
import type { Datastream, Observations, Sensor, StageForecast } from "../types";
import { empty, failure, loading, section } from "./parts";

const HOURS_BACK = 72;

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

async function fillChart(holder: HTMLElement, note: HTMLElement, sensor: Sensor, stream: Datastream): Promise<void> {
  replace(holder, loading());
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
    note.textContent = forecast ? t("sensors.issued", { time: formatShortDateTime(forecast.issue_time) }) : "";
  } catch (error) {
    replace(
      holder,
      failure(error, () => void fillChart(holder, note, sensor, stream)),
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
  if (main) void fillChart(holder, note, sensor, main);
  const chart = (stream: Datastream) =>
    datastreams.length > 1 ? () => void fillChart(holder, note, sensor, stream) : null;
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
    main ? section(t("sensors.last72"), holder, note) : empty(t("sensors.noReading")),
  );
}
