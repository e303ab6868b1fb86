/** The forecast fan drawn as lines for paper: sharp at any size, its words can be searched. */

import { ALARM_COLORS } from "../alarm";
import { svg } from "../dom";
import { formatFixed, formatShortDateTime, getTimezone } from "../format";
import { t } from "../i18n";
import { type Fan, fanChart } from "./fan";

const WIDTH = 680;
const HEIGHT = 250;
const PAD = { top: 12, right: 86, bottom: 30, left: 40 };
const TICK_HOURS = 6;
/** Distance of words below each other [px]. */
const LINE = 11;
const GRID = "#d4dce1";
const INK = "#22343f";

/** Return whole hours of the city's clock within a span, every six hours [s]. */
function hourTicks(from: number, to: number): number[] {
  const hour = new Intl.DateTimeFormat("en-GB", { timeZone: getTimezone(), hour: "2-digit", hourCycle: "h23" });
  const first = Math.ceil(from / 3600) * 3600;
  const ticks: number[] = [];
  for (let at = first; at <= to; at += 3600) if (Number(hour.format(at * 1000)) % TICK_HOURS === 0) ticks.push(at);
  return ticks;
}

/** Return round values within a range, about five. */
function valueTicks(low: number, high: number): number[] {
  const step = [0.1, 0.2, 0.25, 0.5, 1, 2, 5].find((one) => (high - low) / one <= 6) ?? 10;
  const ticks: number[] = [];
  for (let at = Math.ceil(low / step) * step; at <= high + 1e-9; at += step) ticks.push(at);
  return ticks;
}

/** Draw the fan. */
export function fanPaper(fan: Fan): SVGElement {
  const content = fanChart(fan);
  const { times, series, bands = [], levels = [] } = content;
  const columns = [...series.map(({ values }) => values), ...bands.flatMap(({ lower, upper }) => [lower, upper])];
  const values = [
    ...columns.flat().filter((value): value is number => value !== null),
    ...levels.map(({ value }) => value),
  ];
  const [low, high] = [Math.min(...values) - 0.05, Math.max(...values) + 0.05];
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 1];
  const x = (time: number): number =>
    PAD.left + ((time - from) / Math.max(to - from, 1)) * (WIDTH - PAD.left - PAD.right);
  const y = (value: number): number =>
    PAD.top + ((high - value) / Math.max(high - low, 0.01)) * (HEIGHT - PAD.top - PAD.bottom);
  const points = (column: readonly (number | null)[]): string[] =>
    column.flatMap((value, at) => (value === null ? [] : [`${x(times[at] ?? 0).toFixed(1)},${y(value).toFixed(1)}`]));
  const text = (words: string, place: Record<string, string | number>): SVGElement =>
    svg("text", { "font-size": 10, fill: INK, ...place }, words);
  const edge = WIDTH - PAD.right;
  // Levels lie close together: their words keep a line's distance, from the highest down.
  const wordsAt = levels.map(({ value }) => y(value) + 3.5);
  for (let place = wordsAt.length - 2; place >= 0; place--)
    wordsAt[place] = Math.max(wordsAt[place] ?? 0, (wordsAt[place + 1] ?? 0) + LINE);
  const now = Date.now() / 1000;
  const known = now >= from && now <= to;
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "report-fan", role: "img", "aria-label": content.label },
    ...valueTicks(low, high).flatMap((value) => [
      svg("line", { x1: PAD.left, x2: edge, y1: y(value), y2: y(value), stroke: GRID, "stroke-width": 0.6 }),
      text(formatFixed(value, 1), { x: PAD.left - 5, y: y(value) + 3.5, "text-anchor": "end" }),
    ]),
    ...hourTicks(from, to).flatMap((time) => {
      const [clock = "", day = ""] = formatShortDateTime(new Date(time * 1000)).split(" ");
      return [
        svg("line", {
          x1: x(time),
          x2: x(time),
          y1: PAD.top,
          y2: HEIGHT - PAD.bottom,
          stroke: GRID,
          "stroke-width": 0.6,
        }),
        text(clock, { x: x(time), y: HEIGHT - PAD.bottom + 12, "text-anchor": "middle" }),
        text(day, { x: x(time), y: HEIGHT - PAD.bottom + 24, "text-anchor": "middle" }),
      ];
    }),
    ...bands.map(({ lower, upper, color, shade }) =>
      svg("polygon", {
        points: [...points(upper), ...points(lower).reverse()].join(" "),
        fill: color,
        "fill-opacity": shade ?? 0.2,
      }),
    ),
    ...series.map(({ values: column, color, width, dash }) =>
      svg("polyline", {
        points: points(column).join(" "),
        fill: "none",
        stroke: color,
        "stroke-width": width ?? 1.5,
        ...(dash ? { "stroke-dasharray": dash.join(" ") } : {}),
      }),
    ),
    ...levels.flatMap(({ value, color }, place) => {
      const below = wordsAt[place] ?? y(value);
      return [
        svg("line", {
          x1: PAD.left,
          x2: edge,
          y1: y(value),
          y2: y(value),
          stroke: color,
          "stroke-width": 1.2,
          "stroke-dasharray": "5 3",
        }),
        text(
          `${t("desk.levelShort", { level: "I".repeat(ALARM_COLORS.findIndex((one) => one === color)) })} ${formatFixed(value, 2)}`,
          {
            x: edge + 4,
            y: below,
          },
        ),
      ];
    }),
    known
      ? svg("line", { x1: x(now), x2: x(now), y1: PAD.top, y2: HEIGHT - PAD.bottom, stroke: INK, "stroke-width": 1 })
      : null,
    known ? text(t("time.now"), { x: x(now) + 3, y: PAD.top + 8 }) : null,
  );
}
