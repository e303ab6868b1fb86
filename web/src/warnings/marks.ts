/** What a message is, told by word, colour and shape at once: its mode, its level, its kind. */

import { ALARM_COLORS } from "../alarm";
import { h } from "../dom";
import { t } from "../i18n";
import type { Kind, Policy, Status } from "./api";

const STATUS_CLASSES: Record<Status, string> = { Actual: "actual", Exercise: "exercise", Test: "test" };

export const modeClass = (status: Status): string => `mode mode-${STATUS_CLASSES[status]}`;

/** The band that says in which mode one works. */
export const modeBand = (status: Status, ...more: (Node | string | null)[]): HTMLElement =>
  h("div", { class: `${modeClass(status)} mode-band` }, h("strong", {}, t(`warning.mode${status}`)), ...more);

export const modeBadge = (status: Status): HTMLElement =>
  h("span", { class: `badge ${modeClass(status)}` }, t(`warning.mode${status}`));

/** Levels above báo động III share its colour. */
const levelColor = (level: number): string => ALARM_COLORS[Math.min(Math.max(level, 0), 3) as 0 | 1 | 2 | 3];

export const levelTitle = (level: number): string =>
  level > 3 ? t("warning.record") : t(`alarm.${Math.max(level, 0) as 0 | 1 | 2 | 3}`);

export const levelBadge = (level: number): HTMLElement =>
  h("span", { class: "badge", style: `--badge:${levelColor(level)}` }, levelTitle(level));

export const kindBadge = (kind: Kind): HTMLElement => h("span", { class: "badge" }, t(`warning.kind${kind}`));

/** Why a mode is refused here, in the chosen language where the reason is known. */
export function refusalOf(policy: Policy, status: Status): string | null {
  const refused = policy.statuses.find((one) => one.status === status)?.refused;
  if (!refused) return null;
  if (/synthetic/.test(refused.detail)) return t("warning.synthetic");
  if (/sender/.test(refused.detail)) return t("warning.noSender");
  return refused.detail;
}
