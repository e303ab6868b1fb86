/** The main gauge as a drawing that reads from afar: what was measured, what is expected, the alarm levels, now. */

import { ALARM_COLORS, alarmLevel, mainDatastream } from "../alarm";
import { readForecast, readObservations } from "../api";
import { sensors } from "../data";
import { h, replace, svg } from "../dom";
import { formatFixed, formatReading, formatTime, formatUnit } from "../format";
import { type Key, t } from "../i18n";
import { empty, failure } from "../panels/parts";
import type { Observations, Sensor, StageForecast } from "../types";

const HOURS_BACK = 24;
const HOURS_AHEAD = 48;
const AGAIN_MS = 20_000;
const SHORTEST_MS = 3600e3;
/** Levels lie close together: their names keep this distance [px]. */
const NAME_GAP = 18;
const SIDE = { top: 12, right: 124, bottom: 30, left: 52 };

interface Point {
  at: number;
  value: number;
}

function pairUp(times: readonly string[], values: readonly (number | null)[], from: number, to: number): Point[] {
  return times.flatMap((time, place): Point[] => {
    const [at, value] = [Date.parse(time), values[place]];
    return typeof value === "number" && at >= from && at <= to ? [{ at, value }] : [];
  });
}

/** Move names of levels apart; the lowest level comes first and stays lowest. */
function placeNames(heights: readonly number[]): number[] {
  const placed: number[] = [];
  for (const [place, height] of heights.entries()) {
    const below = placed[place - 1];
    placed.push(below === undefined ? height + NAME_GAP / 2 : Math.min(height, below - NAME_GAP));
  }
  return placed;
}

/** Draw the fan in the room there is [px]. */
export function drawFan(
  sensor: Sensor,
  past: Observations,
  forecast: StageForecast | null,
  width: number,
  height: number,
): SVGElement {
  const now = Date.now();
  const end = Date.parse(forecast?.times.at(-1) ?? "") || now + SHORTEST_MS;
  const [from, to] = [
    now - HOURS_BACK * 3600e3,
    Math.min(Math.max(end, now + SHORTEST_MS), now + HOURS_AHEAD * 3600e3),
  ];
  const seen = pairUp(past.times, past.results, from, now);
  const middle = pairUp(forecast?.times ?? [], forecast?.stage ?? [], from, to);
  const lower = pairUp(forecast?.times ?? [], forecast?.lower ?? [], from, to);
  const upper = pairUp(forecast?.times ?? [], forecast?.upper ?? [], from, to);
  const { alarm_1, alarm_2, alarm_3 } = sensor.properties;
  const levels = [alarm_1, alarm_2, alarm_3].flatMap((value, place): { value: number; level: 1 | 2 | 3 }[] =>
    typeof value === "number" ? [{ value, level: (place + 1) as 1 | 2 | 3 }] : [],
  );
  const values = [...seen, ...middle, ...lower, ...upper]
    .map((one) => one.value)
    .concat(levels.map((one) => one.value));
  const [low, high] = [Math.min(...values) - 0.1, Math.max(...values) + 0.15];
  const x = (at: number): number => SIDE.left + ((at - from) / (to - from)) * (width - SIDE.left - SIDE.right);
  const y = (value: number): number =>
    height - SIDE.bottom - ((value - low) / (high - low)) * (height - SIDE.top - SIDE.bottom);
  const path = (points: readonly Point[]): string =>
    points.map(({ at, value }) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("L");
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "fan-drawing", "aria-hidden": "true" });
  const step = width < 480 ? 24 : 12;
  for (let at = Math.ceil(from / 3600e3 / step) * 3600e3 * step; at < to; at += 3600e3 * step) {
    drawing.append(
      svg("line", { x1: x(at), x2: x(at), y1: SIDE.top, y2: height - SIDE.bottom, class: "fan-grid" }),
      svg("text", { x: x(at), y: height - 10, class: "fan-tick", "text-anchor": "middle" }, formatTime(new Date(at))),
    );
  }
  for (const value of [low + 0.1, (low + high) / 2, high - 0.15])
    drawing.append(
      svg(
        "text",
        { x: SIDE.left - 8, y: y(value) + 5, class: "fan-tick", "text-anchor": "end" },
        formatFixed(value, 1),
      ),
    );
  if (upper.length > 1)
    drawing.append(svg("path", { d: `M${path(upper)}L${path([...lower].reverse())}Z`, class: "fan-band" }));
  const names = placeNames(levels.map((one) => y(one.value)));
  for (const [place, { value, level }] of levels.entries()) {
    const style = `--level:${ALARM_COLORS[level]}`;
    const right = width - SIDE.right;
    drawing.append(
      svg("line", { x1: SIDE.left, x2: right, y1: y(value), y2: y(value), class: "fan-level", style }),
      svg("path", { d: `M${right} ${y(value)}L${right + 10} ${names[place]}`, class: "fan-level", style }),
      svg("text", { x: right + 14, y: names[place]! + 4, class: "fan-level-name" }, t(`wall.level${level}` as Key)),
    );
  }
  if (seen.length > 1) drawing.append(svg("path", { d: `M${path(seen)}`, class: "fan-seen" }));
  if (middle.length > 1) drawing.append(svg("path", { d: `M${path(middle)}`, class: "fan-middle" }));
  drawing.append(svg("line", { x1: x(now), x2: x(now), y1: SIDE.top, y2: height - SIDE.bottom, class: "fan-now" }));
  return drawing;
}

/** Say the same in words. */
function tell(sensor: Sensor, forecast: StageForecast | null): string {
  const stream = mainDatastream(sensor);
  const value = formatReading(stream?.result, stream?.unit, sensor.properties.kind);
  const words = t("wall.fanNow", {
    name: sensor.properties.name,
    value,
    level: t(`wall.level${alarmLevel(sensor)}` as Key),
    time: formatTime(stream?.phenomenon_time),
  });
  if (!forecast || forecast.stage.length === 0) return words;
  const ahead = forecast.times.flatMap((time, place) =>
    Date.parse(time) > Date.now() ? [{ time, value: forecast.stage[place]! }] : [],
  );
  if (ahead.length === 0) return words;
  const peak = ahead.reduce((best, one) => (one.value > best.value ? one : best));
  const expected = t("wall.fanPeak", {
    value: `${formatFixed(peak.value, 2)} ${formatUnit(stream?.unit)}`,
    time: formatTime(peak.time),
  });
  return `${words} ${expected}`;
}

/** Build the fan of a gauge; `refresh` reads and draws it anew. */
export function makeFan(gauge: string): { element: HTMLElement; refresh: () => Promise<void> } {
  const words = h("p", { class: "fan-words" });
  const holder = h("div", { class: "fan-holder" });
  const element = h("section", { class: "fan", "aria-label": t("wall.gauge") }, words, holder);
  let read: { sensor: Sensor; past: Observations; forecast: StageForecast | null } | null = null;
  const draw = (): void => {
    const { clientWidth: width, clientHeight: height } = holder;
    if (!read || width < 80 || height < 60) return;
    replace(holder, drawFan(read.sensor, read.past, read.forecast, width, height));
    words.textContent = tell(read.sensor, read.forecast);
  };
  const refresh = async (): Promise<void> => {
    const sensor = sensors.find((one) => one.id === gauge);
    const stream = sensor && mainDatastream(sensor);
    if (!sensor || !stream) {
      replace(holder, empty(t("wall.noGauge")));
      return;
    }
    const end = new Date();
    const start = new Date(end.getTime() - HOURS_BACK * 3600e3);
    try {
      const [past, forecast] = await Promise.all([readObservations(stream.id, start, end), readForecast(stream.id)]);
      read = { sensor, past, forecast };
      draw();
    } catch (error) {
      if (read) return;
      replace(
        holder,
        failure(error, () => void refresh()),
      );
      setTimeout(() => void refresh(), AGAIN_MS);
    }
  };
  new ResizeObserver(draw).observe(holder);
  return { element, refresh };
}
