/** Values of properties as people type them, and back: every control holds a text. */

import { toIso } from "../api";
import { formatNumber, formatUnit, parseCityTime, writeCityTime } from "../format";
import { say, t } from "../i18n";
import { checkNumber, type Reading } from "../panels/form-fields";
import { getState } from "../state";
import type { InputSchema } from "../types";
import type { LayerSchema, PropertySchema } from "./api";

/** Properties that a person fills in, in the order of the declaration. */
export const ownProperties = (schema: LayerSchema): [string, PropertySchema][] =>
  Object.entries(schema.properties).filter(([, property]) => property["x-ogc-role"] === undefined);

export const isRequired = (schema: LayerSchema, name: string): boolean => schema.required?.includes(name) ?? false;

const isMoment = (property: PropertySchema): boolean => property.format === "date-time";

export const isNumber = (property: PropertySchema): boolean =>
  property.type === "number" || property.type === "integer";

/** Write a value as the control of its property holds it. */
export function writeText(property: PropertySchema, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (isMoment(property)) {
    const moment = new Date(String(value));
    return Number.isNaN(moment.getTime()) ? "" : writeCityTime(moment);
  }
  const text = String(value);
  return isNumber(property) && getState().lang === "vi" ? text.replace(".", ",") : text;
}

/** Read what a control holds; an empty one is null. */
export function readText(property: PropertySchema, text: string, required: boolean): Reading {
  const given = text.trim();
  if (given === "") return required ? { problem: t("scenario.required") } : { value: null };
  if (property.type === "boolean") return { value: given === "true" };
  if (isNumber(property)) {
    const { type, minimum, maximum } = property;
    return checkNumber(given, {
      ...(type ? { type } : {}),
      ...(minimum === undefined ? {} : { minimum }),
      ...(maximum === undefined ? {} : { maximum }),
    } as InputSchema);
  }
  if (isMoment(property)) {
    const moment = parseCityTime(given);
    return moment ? { value: toIso(moment) } : { problem: t("scenario.required") };
  }
  if (property.enum && !property.enum.includes(given)) return { problem: t("work.unknownCode") };
  if (property.maxLength !== undefined && text.length > property.maxLength)
    return { problem: t("work.tooLong", { count: property.maxLength }) };
  if (property.pattern && !new RegExp(property.pattern, "u").test(text)) return { problem: t("work.wrongPattern") };
  return { value: property.enum || property.format ? given : text };
}

/** Say a value of a property in words: codes, yes and no, units. */
export function sayValue(property: PropertySchema | undefined, value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  const code = property?.["x-codes"]?.[String(value)];
  if (code) return say(code);
  if (typeof value === "boolean") return t(value ? "card.yes" : "card.no");
  const unit = formatUnit(property?.["x-ogc-unit"]);
  // A year is no quantity: nobody writes 2.014.
  if (typeof value === "number")
    return property?.["x-ogc-unit"] ? `${formatNumber(value, 3)}${unit ? ` ${unit}` : ""}` : String(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export const titleOf = (property: PropertySchema | undefined, name: string): string =>
  say(property?.["x-title-i18n"], name);

/** Say the limits of a number. */
export function limitWords({ minimum, maximum }: PropertySchema): string {
  const values = { minimum: formatNumber(minimum, 3), maximum: formatNumber(maximum, 3) };
  if (minimum !== undefined && maximum !== undefined) return t("scenario.range", values);
  if (minimum !== undefined) return t("scenario.from", values);
  return maximum === undefined ? "" : t("scenario.to", values);
}
