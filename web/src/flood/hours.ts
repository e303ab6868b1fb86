/** A strip of hours: how likely water stands in a ward hour by hour; beyond the run nobody knows. */

import { svg } from "../dom";
import { formatDay, formatShare, formatTime } from "../format";
import { t } from "../i18n";
import { AHEAD_HOURS } from "./ward-data";

const HEIGHT = 22;
const CELL = 6;
const TICK_HOURS = 6;

/** Return the parts of a time in which water is as likely as not, as hours from and to. */
function spells(hours: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  hours.forEach((probability, hour) => {
    if (probability < 0.5) return;
    const last = found.at(-1);
    if (last && last[1] === hour) last[1] = hour + 1;
    else found.push([hour, hour + 1]);
  });
  return found;
}

const at = (base: string, hour: number): Date => new Date(Date.parse(base) + hour * 3600e3);

/** Say when water is as likely as not, and from when nothing is known. */
export function sayHours(hours: readonly number[], base: string): string {
  const said = spells(hours).map(([from, to]) =>
    t("ward.spell", {
      from: `${formatTime(at(base, from))} ${formatDay(at(base, from))}`,
      to: `${formatTime(at(base, to))} ${formatDay(at(base, to))}`,
    }),
  );
  const known = said.length > 0 ? said.join("; ") : t("ward.noSpell", { share: formatShare(Math.max(0, ...hours)) });
  const end = at(base, hours.length);
  return hours.length < AHEAD_HOURS
    ? `${known}. ${t("ward.unknown", { time: `${formatTime(end)} ${formatDay(end)}` })}`
    : known;
}

/** Draw the strip. */
export function hourStrip(hours: readonly number[], base: string): SVGElement {
  const count = Math.max(AHEAD_HOURS, hours.length);
  const strip = svg("svg", {
    class: "ward-hours",
    viewBox: `0 0 ${count * CELL} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": sayHours(hours, base),
  });
  for (let hour = 0; hour < count; hour++) {
    const probability = hours[hour];
    const height = probability === undefined ? HEIGHT : Math.max(probability * HEIGHT, probability > 0 ? 2 : 1);
    const kind = probability === undefined ? "unknown" : probability > 0 ? "wet" : "dry";
    strip.append(
      svg("rect", {
        class: `ward-hour-${kind}`,
        x: hour * CELL,
        y: HEIGHT - height,
        width: CELL - 0.8,
        height,
      }),
    );
  }
  for (let hour = TICK_HOURS; hour < count; hour += TICK_HOURS)
    strip.append(svg("line", { class: "ward-tick", x1: hour * CELL - 0.4, x2: hour * CELL - 0.4, y1: 0, y2: HEIGHT }));
  return strip;
}
