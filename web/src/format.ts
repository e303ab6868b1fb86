/** Numbers, units and moments as people read them: decimal comma and city time. */

import { say, t } from "./i18n";
import { getState } from "./state";
import type { Property } from "./types";

let timezone = "UTC";

/** Say which clock the city lives by. */
export function setTimezone(name: string): void {
  timezone = name;
}

export function getTimezone(): string {
  return timezone;
}

function locale(): string {
  return getState().lang === "vi" ? "vi-VN" : "en-GB";
}

export function formatNumber(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits, signDisplay: "negative" }).format(value);
}

/** Format with exactly `digits` decimals, so that columns line up. */
export function formatFixed(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
    value,
  );
}

export function formatLength(metres: number | null | undefined): string {
  if (metres === null || metres === undefined) return "–";
  return Math.abs(metres) >= 1000 ? `${formatNumber(metres / 1000, 1)} km` : `${formatNumber(metres, 0)} m`;
}

export function formatArea(squareMetres: number | null | undefined): string {
  if (squareMetres === null || squareMetres === undefined) return "–";
  if (Math.abs(squareMetres) >= 1e6) return `${formatNumber(squareMetres / 1e6, 2)} km²`;
  return Math.abs(squareMetres) >= 1e4
    ? `${formatNumber(squareMetres / 1e4, 1)} ha`
    : `${formatNumber(squareMetres, 0)} m²`;
}

/** Write a volume [m³], in millions where it is that large. */
export function formatVolume(cubicMetres: number | null | undefined): string {
  if (cubicMetres === null || cubicMetres === undefined) return "–";
  if (Math.abs(cubicMetres) < 1e6) return `${formatNumber(cubicMetres, 0)} m³`;
  return `${formatNumber(cubicMetres / 1e6, 2)} ${t("unit.million")} m³`;
}

export const formatHours = (hours: number | null | undefined, digits = 1): string =>
  hours === null || hours === undefined ? "–" : `${formatNumber(hours, digits)} ${t("scale.hours")}`;

/** Write a share in per cent, a small one with a decimal. */
export const formatShare = (share: number | null | undefined): string =>
  share === null || share === undefined ? "–" : `${formatNumber(share * 100, Math.abs(share) < 0.0995 ? 1 : 0)} %`;

/** Write đồng in thousands of millions or millions, as budgets are. */
export function formatMoney(dong: number | null | undefined): string {
  if (dong === null || dong === undefined) return "–";
  const [part, unit] = Math.abs(dong) >= 1e9 ? [1e9, t("unit.billionDong")] : [1e6, t("unit.millionDong")];
  return `${formatNumber(dong / part, 1)} ${unit}`;
}

/** Return the moment, or null where the text is none. */
export function parseMoment(text: string | null | undefined): Date | null {
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? null : date;
}

function formatMoment(moment: Date | string | null | undefined, options: Intl.DateTimeFormatOptions): string {
  const date = moment instanceof Date ? moment : parseMoment(moment);
  if (!date) return "–";
  const text = new Intl.DateTimeFormat(locale(), { timeZone: timezone, hourCycle: "h23", ...options }).format(date);
  // Vietnamese writes 22-11 without a year and 22/11/2026 with one; one sign reads better.
  return text.replace(/(\d)-(\d)/g, "$1/$2");
}

export const formatTime = (moment: Date | string | null | undefined): string =>
  formatMoment(moment, { hour: "2-digit", minute: "2-digit" });

export const formatDay = (moment: Date | string | null | undefined): string =>
  formatMoment(moment, { weekday: "short", day: "2-digit", month: "2-digit" });

export function formatDateTime(moment: Date | string | null | undefined): string {
  const day = formatMoment(moment, { day: "2-digit", month: "2-digit", year: "numeric" });
  return day === "–" ? day : `${formatTime(moment)} ${day}`;
}

export const formatShortDateTime = (moment: Date | string | null | undefined): string =>
  `${formatTime(moment)} ${formatMoment(moment, { day: "2-digit", month: "2-digit" })}`;

function formatQuantity(value: number, property: Property): string {
  if (property.unit === "a") return String(value);
  if (property.unit === "m2") return formatArea(value);
  if (property.unit === "{people}") return `${formatNumber(value, 0)} ${t("unit.people")}`;
  if (property.unit === "s") return `${formatNumber(value / 3600, 1)} ${t("scale.hours")}`;
  if (property.name === "length" && property.unit === "m") return formatLength(value);
  const symbol = property.symbol && property.symbol !== "–" ? ` ${property.symbol}` : "";
  return `${formatNumber(value, property.type === "integer" ? 0 : 3)}${symbol}`;
}

/** Format one property of an item: code words, units, dates, yes and no. */
export function formatProperty(value: unknown, property: Property): string {
  if (value === null || value === undefined || value === "") return "–";
  const code = property.codes?.find((entry) => entry.value === String(value));
  if (code) return say(code.title);
  if (property.type === "boolean") return value ? t("card.yes") : t("card.no");
  if (property.type === "datetime") return formatDateTime(String(value));
  if (property.type === "date")
    return formatMoment(String(value), { day: "2-digit", month: "2-digit", year: "numeric" });
  if (typeof value === "number") return formatQuantity(value, property);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** UCUM units as people write them; a unit that is not here is written as it is. */
const UNIT_SYMBOLS: Record<string, string> = {
  "1": "",
  "%": "%",
  m2: "m²",
  m3: "m³",
  "m3/s": "m³/s",
  "m2/s": "m²/s",
  Cel: "°C",
  "ug/m3": "µg/m³",
  min: "min",
  deg: "°",
  "{#}": "",
  "{NTU}": "NTU",
  "[pH]": "",
  "[ppth]": "‰",
  "m3/d": "m³/d",
  "kW.h": "kWh",
};

export function formatUnit(unit: string | null | undefined): string {
  if (unit === "a") return t("unit.years");
  return UNIT_SYMBOLS[unit ?? ""] ?? unit ?? "";
}

/** Kinds whose readings are a share of the whole. */
const SHARES = new Set(["gate", "light", "bin_level"]);

/** Write a reading of a sensor; a pump runs or stands, a bay is taken or free, a gate is open by a share. */
export function formatReading(
  value: number | null | undefined,
  unit: string | undefined,
  kind: string,
  digits = 2,
): string {
  if (value === null || value === undefined) return "–";
  if (kind === "pump" && unit === "1") return t(value > 0 ? "sensors.pumpOn" : "sensors.pumpOff");
  if (kind === "parking_bay" && unit === "1") return t(value > 0 ? "sensors.bayTaken" : "sensors.bayFree");
  if (SHARES.has(kind) && unit === "1") return `${formatNumber(value * 100, 0)} %`;
  if (unit === "W" && Math.abs(value) >= 1e6) return `${formatNumber(value / 1e6, digits)} MW`;
  if (unit === "W" && Math.abs(value) >= 1e3) return `${formatNumber(value / 1e3, digits)} kW`;
  return `${formatNumber(value, digits)} ${formatUnit(unit)}`.trim();
}

/** Milliseconds by which the city's clock is ahead of UTC at a moment. */
function cityOffset(moment: number): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(moment);
  const get = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
  const wall = Date.UTC(get("year"), get("month") - 1, get("day"), get("hour"), get("minute"), get("second"));
  return wall - Math.floor(moment / 1000) * 1000;
}

/** Read what a person typed in a date-time field as city time. */
export function parseCityTime(text: string): Date | null {
  const wall = Date.parse(`${text}Z`);
  return Number.isNaN(wall) ? null : new Date(wall - cityOffset(wall));
}

/** Write a moment for a date-time field, in city time. */
export function writeCityTime(moment: Date): string {
  return new Date(moment.getTime() + cityOffset(moment.getTime())).toISOString().slice(0, 16);
}
