/** A small line of the last hours: decoration beside a value that is also written. */

import { svg } from "../dom";

const WIDTH = 100;
const HEIGHT = 24;

/** Draw the values, oldest first; null where fewer than two are known. */
export function sparkline(values: readonly (number | null)[]): SVGElement | null {
  const known = values.flatMap((value, place) => (value === null ? [] : [{ value, place }]));
  if (known.length < 2) return null;
  const low = Math.min(...known.map((one) => one.value));
  const high = Math.max(...known.map((one) => one.value));
  const range = high - low || 1;
  const x = (place: number): number => (place / (values.length - 1)) * WIDTH;
  const y = (value: number): number =>
    high === low ? HEIGHT - 2 : HEIGHT - 2 - ((value - low) / range) * (HEIGHT - 4);
  const points = known.map(({ value, place }) => `${x(place).toFixed(1)} ${y(value).toFixed(1)}`);
  const line = `M${points.join("L")}`;
  const first = known[0]!;
  const last = known.at(-1)!;
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "sparkline", "aria-hidden": "true", preserveAspectRatio: "none" },
    svg("path", { d: `${line}L${x(last.place)} ${HEIGHT}L${x(first.place)} ${HEIGHT}Z`, class: "sparkline-fill" }),
    svg("path", { d: line, class: "sparkline-line", "vector-effect": "non-scaling-stroke" }),
  );
}
