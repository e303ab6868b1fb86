/** Spans of time as people say them. */

import { formatNumber } from "../format";
import { t } from "../i18n";

/** Write seconds, minutes or hours, whichever reads best. */
export function writeSpan(seconds: number): string {
  if (seconds < 90) return t("span.seconds", { count: formatNumber(Math.max(Math.round(seconds), 1), 0) });
  if (seconds < 5400) return t("span.minutes", { count: formatNumber(Math.round(seconds / 60), 0) });
  return t("span.hours", { count: formatNumber(seconds / 3600, 1) });
}
