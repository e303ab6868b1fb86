/** How old something is, in words, and when it is too old to act upon. */

import { formatNumber, formatShortDateTime } from "../format";
import { t } from "../i18n";

const MINUTE = 60e3;
const HOUR = 60 * MINUTE;

/** A reading or a forecast that drives decisions is old after an hour. */
export const OLD_MS = HOUR;

/** Write a span as people say it: minutes, hours with minutes, days. */
export function formatAge(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / MINUTE));
  if (minutes < 60) return t("desk.minutes", { count: formatNumber(minutes, 0) });
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return t("desk.days", { count: formatNumber(Math.floor(hours / 24), 0) });
  const rest = minutes % 60;
  const words = t("desk.hours", { count: formatNumber(hours, 0) });
  return rest === 0 ? words : `${words} ${t("desk.minutes", { count: formatNumber(rest, 0) })}`;
}

export const ageOf = (moment: string | null | undefined): number | null => {
  const time = Date.parse(moment ?? "");
  return Number.isNaN(time) ? null : Date.now() - time;
};

export const isOld = (moment: string | null | undefined): boolean => (ageOf(moment) ?? Infinity) > OLD_MS;

/** Write a moment that may not be known. */
export const formatWhen = (moment: string | null | undefined): string => (moment ? formatShortDateTime(moment) : "–");
