/** The stage along the time slider: one value a moment, in the colour of the alarm level that it reaches. */

import { ALARM_COLORS } from "../alarm";
import { sensors } from "../data";
import { svg } from "../dom";
import { formatFixed, formatShortDateTime } from "../format";
import { type Key, t } from "../i18n";
import { alarmLines } from "../panels/sensor-card";
import type { Run, StageForecast } from "../types";

const WIDTH = 1000;
const HEIGHT = 34;
const PAD = 3;

/** Return the forecast stage at a moment, between the two times around it; null outside. */
function stageAt({ times, stage }: StageForecast, seconds: readonly number[], moment: number): number | null {
  const after = seconds.findIndex((time) => time >= moment);
  if (after < 0) return moment - (seconds.at(-1) ?? 0) < 1800e3 ? (stage[times.length - 1] ?? null) : null;
  const [b, q] = [seconds[after] ?? moment, stage[after] ?? null];
  if (after === 0) return b - moment < 1800e3 ? q : null;
  const [a, p] = [seconds[after - 1] ?? moment, stage[after - 1] ?? null];
  if (p === null || q === null) return null;
  return b > a ? p + ((q - p) * (moment - a)) / (b - a) : q;
}

/** Draw the strip for the moments of the slider, evenly spaced as they are there; null for a run without a gauge. */
export function stageStrip(moments: readonly string[], run: Run): SVGElement | null {
  const forecast = run.stage_forecast;
  if (!forecast || forecast.times.length === 0 || moments.length < 2) return null;
  const seconds = forecast.times.map((time) => Date.parse(time));
  const stages = moments.map((moment) => stageAt(forecast, seconds, Date.parse(moment)));
  const known = stages.filter((stage): stage is number => stage !== null);
  if (known.length < 2) return null;
  const gauge = sensors.find((sensor) =>
    sensor.properties.datastreams.some((stream) => stream.id === forecast.datastream_id),
  );
  const levels = gauge ? alarmLines(gauge) : [];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const top = Math.max(high, levels.find(({ value }) => value > high)?.value ?? high);
  const x = (at: number): number => (at / (moments.length - 1)) * WIDTH;
  const y = (stage: number): number => HEIGHT - PAD - ((stage - low) / Math.max(top - low, 0.01)) * (HEIGHT - 2 * PAD);
  const reached = (stage: number): number => levels.filter(({ value }) => stage >= value).length;
  const peak = stages.indexOf(high);
  const level = reached(high);
  const words = t("desk.strip", {
    low: formatFixed(low, 2),
    high: formatFixed(high, 2),
    time: formatShortDateTime(moments[peak]),
    level: t(`alarm.${level}` as Key),
  });
  const columns = stages.flatMap((stage, at) => {
    if (stage === null) return [];
    const [from, to] = [Math.max(x(at - 0.5), 0), Math.min(x(at + 0.5), WIDTH)];
    const color = ALARM_COLORS[reached(stage) as 0 | 1 | 2 | 3] ?? ALARM_COLORS[0];
    return [
      svg("rect", {
        x: from,
        y: y(stage),
        width: to - from + 0.3,
        height: HEIGHT - y(stage),
        fill: color,
        "fill-opacity": 0.55,
      }),
    ];
  });
  return svg(
    "svg",
    {
      class: "stage-strip",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": words,
    },
    svg("title", {}, words),
    ...columns,
    ...levels
      .filter(({ value }) => value >= low && value <= top)
      .map(({ value, color }) =>
        svg("line", { x1: 0, x2: WIDTH, y1: y(value), y2: y(value), stroke: color, class: "stage-strip-level" }),
      ),
    svg("polyline", {
      class: "stage-strip-line",
      points: stages
        .flatMap((stage, at) => (stage === null ? [] : [`${x(at).toFixed(1)},${y(stage).toFixed(1)}`]))
        .join(" "),
    }),
  );
}
