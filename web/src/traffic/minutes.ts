/** Times of travel as people say them. */

import { formatNumber } from "../format";
import { t } from "../i18n";

/** Write seconds as minutes, long ones as hours and minutes. */
export function formatMinutes(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const minutes = Math.round(seconds / 60);
  if (seconds < 570) return `${formatNumber(seconds / 60, 1)} ${t("traffic.minutesShort")}`;
  if (minutes < 60) return `${minutes} ${t("traffic.minutesShort")}`;
  return `${Math.floor(minutes / 60)} ${t("scale.hours")} ${minutes % 60} ${t("traffic.minutesShort")}`;
}
