/** Line charts over time: series, a band, level lines and a "now" mark. uPlot is loaded when first needed. */

import "./styles/chart.css";
import type uPlot from "uplot";
import { formatDateTime, formatFixed, formatNumber, formatShortDateTime, formatTime, getTimezone } from "./format";
import { t } from "./i18n";

export interface ChartSeries {
  label: string;
  color: string;
  values: (number | null)[];
  width?: number;
  dash?: number[];
  /** Filled down to zero with the series' colour. */
  fill?: boolean;
}

export interface ChartBand {
  label: string;
  color: string;
  lower: (number | null)[];
  upper: (number | null)[];
  /** Opacity of the filling, 0–1. */
  shade?: number;
}

export interface ChartLevel {
  label: string;
  value: number;
  color: string;
}

export interface ChartContent {
  /** Seconds since 1970. */
  times: number[];
  series: ChartSeries[];
  unit: string;
  bands?: ChartBand[];
  levels?: ChartLevel[];
  /** Moment to mark beside now, in seconds. */
  mark?: number | null;
  height?: number;
  label: string;
}

/** Levels lie close together: their words stand side by side [px]. */
const LEVEL_LABEL = 84;

/** Write an opacity, 0–1, as the last two digits of a colour. */
const toHex = (opacity: number): string =>
  Math.round(opacity * 255)
    .toString(16)
    .padStart(2, "0");

const cssColor = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Lay several series of their own times on one axis. */
export function joinTimes(...parts: { times: string[]; columns: (number | null)[][] }[]): {
  times: number[];
  columns: (number | null)[][];
} {
  const seconds = parts.map((part) => part.times.map((time) => Date.parse(time) / 1000));
  const times = [...new Set(seconds.flat())].sort((a, b) => a - b);
  const place = new Map(times.map((time, index) => [time, index]));
  const columns = parts.flatMap((part, which) =>
    part.columns.map((column) => {
      const joined = new Array<number | null>(times.length).fill(null);
      seconds[which]!.forEach((time, index) => {
        joined[place.get(time)!] = column[index] ?? null;
      });
      return joined;
    }),
  );
  return { times, columns };
}

function drawLine(plot: uPlot, y: number, color: string, label: string, place: number): void {
  const { ctx, bbox } = plot;
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.25 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${10 * devicePixelRatio}px "Be Vietnam Pro", sans-serif`;
  ctx.textBaseline = "bottom";
  ctx.textAlign = "left";
  const box = ctx.measureText(label);
  const left = bbox.left + (4 + LEVEL_LABEL * place) * devicePixelRatio;
  ctx.fillStyle = cssColor("--surface");
  ctx.globalAlpha = 0.8;
  ctx.fillRect(
    left - 2 * devicePixelRatio,
    y - 14 * devicePixelRatio,
    box.width + 4 * devicePixelRatio,
    13 * devicePixelRatio,
  );
  ctx.globalAlpha = 1;
  ctx.fillStyle = cssColor("--text");
  ctx.fillText(label, left, y - 2 * devicePixelRatio);
  ctx.restore();
}

function drawMoment(plot: uPlot, seconds: number, color: string): void {
  const { ctx, bbox } = plot;
  const x = plot.valToPos(seconds, "x", true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.25 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

function yRange(content: ChartContent): [number, number] {
  const columns = [
    ...content.series.map((entry) => entry.values),
    ...(content.bands ?? []).flatMap((b) => [b.lower, b.upper]),
  ];
  const values = columns.flat().filter((value): value is number => value !== null && Number.isFinite(value));
  values.push(...(content.levels ?? []).map((level) => level.value));
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max((high - low) * 0.1, 0.02);
  return [low >= 0 && low < margin ? 0 : low - margin, high + margin];
}

function makeSeries(content: ChartContent): uPlot.Series[] {
  const shown = (_: uPlot, value: number | null): string =>
    value === null ? "–" : `${formatFixed(value, 2)} ${content.unit}`;
  const lines = content.series.map(
    (entry): uPlot.Series => ({
      label: entry.label,
      stroke: entry.color,
      width: entry.width ?? 1.75,
      spanGaps: true,
      points: { show: false },
      value: shown,
      ...(entry.dash ? { dash: entry.dash } : {}),
      ...(entry.fill ? { fill: `${entry.color}44` } : {}),
    }),
  );
  const bandStart = content.series.length + 1;
  const bands = (content.bands ?? []).flatMap((band, index): uPlot.Series[] => {
    // One row of the legend tells both edges of a band.
    const lower = bandStart + 2 * index + 1;
    const both = (plot: uPlot, value: number | null, _: number, at: number | null): string =>
      value === null || at === null
        ? "–"
        : `${formatFixed(plot.data[lower]?.[at], 2)} – ${formatFixed(value, 2)} ${content.unit}`;
    const edge = { stroke: `${band.color}66`, width: 0.75, spanGaps: true, points: { show: false } };
    return [
      { ...edge, label: band.label, value: both },
      { ...edge, label: "", class: "chart-quiet", value: shown },
    ];
  });
  return [
    {
      label: t("app.localTime"),
      value: (_, seconds) => (seconds === null ? "–" : formatDateTime(new Date(seconds * 1000))),
    },
    ...lines,
    ...bands,
  ];
}

function makeAxes(content: ChartContent): uPlot.Axis[] {
  const look = {
    stroke: cssColor("--text-soft"),
    font: '11px "Be Vietnam Pro", sans-serif',
    grid: { stroke: cssColor("--line"), width: 1 },
    ticks: { show: false },
  };
  const spanSeconds = (content.times.at(-1) ?? 0) - (content.times[0] ?? 0);
  const label = (seconds: number): string => {
    const moment = new Date(seconds * 1000);
    return spanSeconds > 36 * 3600 ? formatShortDateTime(moment).replace(" ", "\n") : formatTime(moment);
  };
  return [
    { ...look, size: 34, space: 62, values: (_, splits) => splits.map(label) },
    { ...look, size: 44, values: (_, splits) => splits.map((value) => formatNumber(value, 2)) },
  ];
}

/** Draw into `container`, filling its width; returns a function that moves the mark to another moment [s]. */
export async function drawChart(container: HTMLElement, content: ChartContent): Promise<(mark: number) => void> {
  const [{ default: Plot }] = await Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]);
  const height = content.height ?? 190;
  const bandStart = content.series.length + 1;
  const levels = content.levels ?? [];
  let mark = content.mark ?? null;
  const options: uPlot.Options = {
    width: Math.max(container.clientWidth, 220),
    height,
    tzDate: (seconds) => Plot.tzDate(new Date(seconds * 1000), getTimezone()),
    ms: 1e-3,
    padding: [10, 8, 0, 0],
    series: makeSeries(content),
    axes: makeAxes(content),
    scales: { x: { time: true }, y: { range: yRange(content) } },
    bands: (content.bands ?? []).map((band, index) => ({
      series: [bandStart + 2 * index, bandStart + 2 * index + 1],
      fill: band.color + toHex(band.shade ?? 0.2),
    })),
    cursor: { drag: { x: false, y: false }, points: { size: 7 } },
    legend: { live: true },
    hooks: {
      draw: [
        (plot) => {
          levels.forEach((level, place) => {
            drawLine(plot, plot.valToPos(level.value, "y", true), level.color, level.label, place);
          });
          drawMoment(plot, Date.now() / 1000, cssColor("--now"));
          if (mark !== null) drawMoment(plot, mark, cssColor("--accent"));
        },
      ],
    },
  };
  const columns = [
    ...content.series.map((entry) => entry.values),
    ...(content.bands ?? []).flatMap((b) => [b.upper, b.lower]),
  ];
  container.replaceChildren();
  container.setAttribute("role", "img");
  container.setAttribute("aria-label", content.label);
  const plot = new Plot(options, [content.times, ...columns] as uPlot.AlignedData, container);
  const observer = new ResizeObserver(() => {
    // The card is built anew for each choice: a chart that left the page is let go.
    if (!container.isConnected) {
      observer.disconnect();
      plot.destroy();
      return;
    }
    const width = container.clientWidth;
    if (width > 0 && Math.abs(width - plot.width) > 1) plot.setSize({ width, height });
  });
  observer.observe(container);
  return (moment) => {
    mark = moment;
    plot.redraw(false);
  };
}
