/** One alarm as a line: priority in colour, word and sign, what, where, since when, its state. */

import { type Child, h } from "../dom";
import { formatReading, formatShortDateTime, formatTime } from "../format";
import { say, t } from "../i18n";
import { OPEN, type Priority, type StandingAlarm } from "./api";

const SIGNS: Record<Priority, string> = { critical: "!!!", high: "!!", medium: "!", low: "·" };

/** The mark of a priority: a sign that is told apart without its colour. */
export const priorityMark = (alarm: Pick<StandingAlarm, "priority" | "priority_title">): HTMLElement =>
  h(
    "span",
    { class: `priority priority-${alarm.priority}` },
    h("span", { "aria-hidden": "true" }, SIGNS[alarm.priority]),
    h("span", {}, say(alarm.priority_title)),
  );

/** Write what was measured where a person can make something of it. */
function sayValue(alarm: StandingAlarm): string {
  if (alarm.value === null || !alarm.unit || alarm.unit === "1" || !alarm.active) return "";
  return formatReading(alarm.value, alarm.unit, alarm.kind ?? "");
}

/** Where and since when. */
export function alarmFacts(alarm: StandingAlarm): string {
  const since = t(alarm.active ? "alarms.since" : "alarms.over", {
    time: formatShortDateTime(alarm.active ? alarm.raised : (alarm.cleared ?? alarm.since)),
  });
  return [sayValue(alarm), alarm.ward?.name, since].filter(Boolean).join(" · ");
}

export const stateWord = (alarm: StandingAlarm): HTMLElement =>
  h(
    "span",
    { class: `alarm-state ${OPEN.includes(alarm.state) ? "alarm-state-open" : ""}` },
    say(alarm.state_title),
    alarm.shelved_until ? ` ${t("alarms.until", { time: formatTime(alarm.shelved_until) })}` : null,
  );

/** A line to be read, such as on a wall. */
export const alarmLine = (alarm: StandingAlarm, ...more: Child[]): HTMLElement =>
  h(
    "li",
    { class: `alarm-line alarm-${alarm.priority}`, "data-alarm": alarm.id },
    priorityMark(alarm),
    h("strong", { class: "alarm-title" }, say(alarm.title)),
    h("span", { class: "alarm-facts" }, alarmFacts(alarm)),
    stateWord(alarm),
    ...more,
  );
