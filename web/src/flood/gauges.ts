/** The gauges of the city: what they measure now, how fast it moves, what comes next and how high. */

import { ALARM_COLORS, alarmLevel, mainDatastream } from "../alarm";
import { sensors } from "../data";
import { type Child, h } from "../dom";
import { formatFixed, formatNumber, formatShare, formatShortDateTime, formatTime } from "../format";
import { type Key, t } from "../i18n";
import type { Datastream, Sensor } from "../types";
import { ageOf, formatAge, isOld } from "./ages";
import type { LevelOutlook, Outlook } from "./reading";

/** A gauge with what is forecast for it, if anything is. */
export interface Gauge {
  sensor: Sensor;
  stream: Datastream | undefined;
  outlook: Outlook | undefined;
}

/** A stage that moves slower stands [m/h]. */
const STILL = 0.01;

/** Return the gauges: those that are likely to pass the highest levels first. */
export function listGauges(outlooks: readonly Outlook[]): Gauge[] {
  const bySensor = new Map(outlooks.map((outlook) => [outlook.datastream_id, outlook]));
  const gauges = sensors
    .filter((sensor) => sensor.properties.kind === "stage")
    .map((sensor) => {
      const stream = mainDatastream(sensor);
      return { sensor, stream, outlook: bySensor.get(stream?.id ?? "") };
    });
  const danger = ({ sensor, outlook }: Gauge): number =>
    10 * alarmLevel(sensor) + (outlook?.alarms ?? []).reduce((sum, { probability }) => sum + probability, 0);
  return gauges.sort(
    (a, b) => danger(b) - danger(a) || a.sensor.properties.name.localeCompare(b.sensor.properties.name, "vi"),
  );
}

/** Write how fast the stage moves as short as it can be [cm/h]. */
const arrowOf = (trend: number): string =>
  Math.abs(trend) < STILL ? "→" : `${trend > 0 ? "▲" : "▼"} ${formatNumber(Math.abs(trend) * 100, 0)}`;

/** Write how fast the stage moves, with an arrow and in words. */
export function formatTrend(trend: number | null | undefined): string {
  if (trend === null || trend === undefined) return "–";
  if (Math.abs(trend) < STILL) return `→ ${t("desk.still")}`;
  return `${trend > 0 ? "▲" : "▼"} ${t(trend > 0 ? "desk.rising" : "desk.falling", { value: formatNumber(Math.abs(trend) * 100, 0) })}`;
}

export const alarmBadge = (level: 0 | 1 | 2 | 3): HTMLElement =>
  h("span", { class: "badge", style: `--badge:${ALARM_COLORS[level]}` }, t(`alarm.${level}` as Key));

const shortBadge = (level: 1 | 2 | 3): HTMLElement =>
  h(
    "span",
    { class: "badge", style: `--badge:${ALARM_COLORS[level]}`, title: t(`alarm.${level}` as Key) },
    t("desk.levelShort", { level: "I".repeat(level) }),
  );

/** Return the highest level that is as likely passed as not. */
export const likelyLevel = (outlook: Outlook | undefined): LevelOutlook | undefined =>
  [...(outlook?.alarms ?? [])].reverse().find(({ probability }) => probability >= 0.5);

/** Build the rows of how likely each level is passed, and from when. */
function levelRows(levels: readonly LevelOutlook[]): HTMLElement {
  return h(
    "ul",
    { class: "desk-levels" },
    ...levels.map((one) =>
      h(
        "li",
        { style: `--level:${ALARM_COLORS[one.level]}; --share:${(100 * one.probability).toFixed(0)}%` },
        h("span", {}, `${t(`alarm.${one.level}` as Key)} (${formatFixed(one.stage, 2)} m)`),
        h("span", { class: "desk-level-track", "aria-hidden": "true" }),
        h("strong", {}, formatShare(one.probability)),
        one.first_time
          ? h("span", { class: "soft desk-level-when" }, t("desk.from", { time: formatShortDateTime(one.first_time) }))
          : null,
      ),
    ),
  );
}

/** Build what one gauge says now and what comes. */
export function gaugeCard({ sensor, stream, outlook }: Gauge): HTMLElement {
  const age = ageOf(stream?.phenomenon_time);
  const next = outlook?.next_high;
  return h(
    "div",
    { class: "desk-gauge" },
    h(
      "p",
      { class: "desk-gauge-now" },
      h("strong", {}, typeof stream?.result === "number" ? `${formatFixed(stream.result, 2)} m` : "–"),
      h("span", {}, formatTrend(outlook?.trend)),
      alarmBadge(alarmLevel(sensor)),
    ),
    h(
      "p",
      { class: isOld(stream?.phenomenon_time) ? "desk-shout" : "soft note" },
      age === null
        ? t("desk.noReading")
        : t(isOld(stream?.phenomenon_time) ? "desk.oldReading" : "desk.reading", {
            time: formatShortDateTime(stream?.phenomenon_time),
            age: formatAge(age),
          }),
    ),
    next
      ? h(
          "p",
          {},
          t("desk.nextHigh"),
          " ",
          h("strong", {}, `${formatFixed(next.stage, 2)} m`),
          ` (${formatFixed(next.lower, 2)} – ${formatFixed(next.upper, 2)} m) `,
          t("desk.at", { time: formatShortDateTime(next.time) }),
        )
      : null,
    (outlook?.alarms ?? []).length > 0
      ? h("div", {}, h("p", { class: "soft note" }, t("desk.passing")), levelRows(outlook?.alarms ?? []))
      : null,
  );
}

/** Build the table of all gauges; the name of one chooses it. */
export function gaugeTable(
  gauges: readonly Gauge[],
  chosen: string | undefined,
  choose: (id: string) => void,
): HTMLElement {
  const cell = (...children: Child[]): HTMLElement => h("td", {}, ...children);
  const row = ({ sensor, stream, outlook }: Gauge): HTMLElement => {
    const likely = likelyLevel(outlook);
    const top = outlook?.alarms?.[0];
    return h(
      "tr",
      { "data-gauge": sensor.id, class: sensor.id === chosen ? "desk-chosen" : null },
      h(
        "th",
        { scope: "row" },
        h(
          "button",
          {
            type: "button",
            class: "link-button",
            "aria-pressed": String(sensor.id === chosen),
            onclick: () => choose(sensor.id),
          },
          sensor.properties.name,
        ),
      ),
      cell(
        typeof stream?.result === "number" ? formatFixed(stream.result, 2) : "–",
        isOld(stream?.phenomenon_time)
          ? h("span", { class: "desk-old" }, t("desk.oldShort", { time: formatShortDateTime(stream?.phenomenon_time) }))
          : typeof outlook?.trend === "number"
            ? h("span", { class: "soft note", title: formatTrend(outlook.trend) }, arrowOf(outlook.trend))
            : null,
      ),
      cell(
        outlook?.next_high ? formatFixed(outlook.next_high.stage, 2) : "–",
        outlook?.next_high ? h("span", { class: "soft note" }, formatTime(outlook.next_high.time)) : null,
      ),
      cell(likely ? shortBadge(likely.level) : top ? t("desk.levelOne", { share: formatShare(top.probability) }) : "–"),
    );
  };
  const headings = [t("desk.gauge"), t("desk.nowM"), t("desk.nextM"), t("desk.likely")];
  return h(
    "div",
    { class: "table-holder", tabindex: 0 },
    h(
      "table",
      { class: "desk-gauges" },
      h("thead", {}, h("tr", {}, ...headings.map((heading) => h("th", { scope: "col" }, heading)))),
      h("tbody", {}, ...gauges.map(row)),
    ),
  );
}
