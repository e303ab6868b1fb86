/** The forecast fan of a gauge: what was measured, the median, the bands around it, the tide, the alarm levels. */

import { readObservations } from "../api";
import { type ChartContent, drawChart, joinTimes } from "../chart";
import { type Child, h } from "../dom";
import { formatFixed, formatShare, formatShortDateTime } from "../format";
import { t } from "../i18n";
import { alarmLines } from "../panels/sensor-card";
import { table } from "../panels/table";
import type { Observations, Sensor } from "../types";
import { type Issue, readIssue } from "./reading";

const HOURS_BACK = 24;
const MEASURED = "#1f6fb2";
const FORECAST = "#7a4fb5";
const TIDE = "#6d7f8b";
const TABLE_STEP_MS = 3600e3;

/** What the fan is drawn from; either may be missing. */
export interface Fan {
  sensor: Sensor;
  past: Observations;
  issue: Issue | null;
}

/** Read the last day of a gauge and its newest forecast. */
export async function readFan(sensor: Sensor, datastream: string): Promise<Fan> {
  const end = new Date();
  const start = new Date(end.getTime() - HOURS_BACK * 3600e3);
  const [past, issue] = await Promise.all([readObservations(datastream, start, end), readIssue(datastream)]);
  return { sensor, past, issue };
}

/** Return a quantile of every time, null where the issue does not hold it. */
function quantile(issue: Issue, level: number): (number | null)[] {
  const place = issue.levels.findIndex((one) => Math.abs(one - level) < 1e-6);
  return issue.quantiles.map((row) => row[place] ?? null);
}

/** Build the chart. */
export function fanChart({ sensor, past, issue }: Fan, height = 240): ChartContent {
  const own = issue
    ? [
        issue.stage,
        issue.tide,
        quantile(issue, 0.05),
        quantile(issue, 0.95),
        quantile(issue, 0.25),
        quantile(issue, 0.75),
      ]
    : [[], [], [], [], [], []];
  const { times, columns } = joinTimes(
    { times: past.times, columns: [past.results] },
    { times: issue?.times ?? [], columns: own },
  );
  const [measured = [], median = [], tide = [], low = [], high = [], lower = [], upper = []] = columns;
  const series = [{ label: t("sensors.observed"), color: MEASURED, values: measured, width: 2 }];
  const forecast = issue
    ? [
        { label: t("desk.median"), color: FORECAST, values: median, width: 2 },
        ...(tide.some((value) => value !== null)
          ? [{ label: t("desk.tide"), color: TIDE, values: tide, width: 1, dash: [4, 4] }]
          : []),
      ]
    : [];
  const bands = issue
    ? [
        { label: t("desk.wideBand"), color: FORECAST, lower: low, upper: high, shade: 0.14 },
        { label: t("desk.narrowBand"), color: FORECAST, lower, upper, shade: 0.26 },
      ]
    : [];
  return {
    times,
    series: [...series, ...forecast],
    bands,
    levels: alarmLines(sensor),
    unit: "m",
    height,
    label: t("desk.fanLabel", { name: sensor.properties.name }),
  };
}

/** Draw the fan into a holder. */
export const drawFan = (holder: HTMLElement, fan: Fan, height?: number): Promise<unknown> =>
  drawChart(holder, fanChart(fan, height));

/** Return how likely a level is passed at one time: between the quantiles, as a line between them would say. */
export function exceedance(levels: readonly number[], row: readonly number[], stage: number): number {
  const first = row[0] ?? Number.NaN;
  const last = row.at(-1) ?? Number.NaN;
  if (stage <= first) return 1 - (stage === first ? (levels[0] ?? 0) : 0);
  if (stage > last) return 0;
  const place = row.findIndex((value) => value >= stage);
  const [a, b] = [row[place - 1] ?? first, row[place] ?? last];
  const [p, q] = [levels[place - 1] ?? 0, levels[place] ?? 1];
  return 1 - (b > a ? p + ((q - p) * (stage - a)) / (b - a) : q);
}

/** The same as numbers, an hour a row. */
export function fanTable({ sensor, issue }: Fan): HTMLElement | null {
  if (!issue) return null;
  const alarms = alarmLines(sensor);
  const start = Date.parse(issue.times[0] ?? "");
  const rows = issue.times.flatMap((time, at): Child[][] => {
    if ((Date.parse(time) - start) % TABLE_STEP_MS !== 0) return [];
    const row = issue.quantiles[at] ?? [];
    return [
      [
        formatShortDateTime(time),
        formatFixed(issue.stage[at], 2),
        `${formatFixed(row[0], 2)} – ${formatFixed(row.at(-1), 2)}`,
        ...alarms.map(({ value }) => formatShare(exceedance(issue.levels, row, value))),
      ],
    ];
  });
  const headings = [t("desk.time"), t("desk.medianM"), t("desk.wideBandM"), ...alarms.map(({ label }) => `> ${label}`)];
  return h("div", { class: "desk-long" }, table(headings, rows));
}
