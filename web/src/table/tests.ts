/** Conditions on one property, and how they read as CQL2. */

import { fold } from "../dom";
import type { Property } from "../types";

export type Op =
  | "contains"
  | "starts"
  | "eq"
  | "ne"
  | "lt"
  | "le"
  | "gt"
  | "ge"
  | "between"
  | "in"
  | "notin"
  | "older"
  | "newer"
  | "empty"
  | "filled";

/** What is asked of a property; values are written as the form's fields hold them, "" of a list is no value. */
export interface Test {
  name: string;
  op: Op;
  values: readonly string[];
}

const COMPARE: Partial<Record<Op, string>> = { eq: "=", ne: "<>", lt: "<", le: "<=", gt: ">", ge: ">=" };
const NUMERIC: readonly Op[] = ["eq", "ne", "lt", "le", "gt", "ge", "between", "empty", "filled"];
const DATED: readonly Op[] = ["older", "newer", "lt", "ge", "between", "empty", "filled"];
const WORDY: readonly Op[] = ["contains", "starts", "eq", "ne", "empty", "filled"];
const LISTED: readonly Op[] = ["in", "notin", "empty", "filled"];

export const isNumber = (property: Property): boolean => property.type === "number" || property.type === "integer";
export const isDated = (property: Property): boolean => property.type === "date" || property.type === "datetime";
export const isListed = (property: Property): boolean => property.type === "boolean" || Boolean(property.codes?.length);

/** The identifier, which every layer has beside its declared properties. */
export const idProperty = (title: string): Property => ({
  name: "id",
  title: { vi: title, en: title },
  type: "string",
});

/** Return the operators that make sense of a property, the usual one first. */
export function opsOf(property: Property): readonly Op[] {
  if (isListed(property)) return LISTED;
  if (isNumber(property)) return NUMERIC;
  return isDated(property) ? DATED : WORDY;
}

/** How many values an operator takes; of a list as many as one likes. */
export const valuesOf = (op: Op): number => (op === "empty" || op === "filled" ? 0 : op === "between" ? 2 : 1);

export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Return a value of a property as CQL2 writes it. */
function literal(property: Property, value: string): string {
  if (isNumber(property)) return String(Number(value.replace(",", ".")));
  if (property.type === "boolean") return value === "true" ? "TRUE" : "FALSE";
  if (property.type === "date") return `DATE(${quoteText(value.slice(0, 10))})`;
  if (property.type === "datetime") return `TIMESTAMP(${quoteText(value.length > 10 ? value : `${value}T00:00:00Z`)})`;
  return quoteText(value);
}

const isUsable = (property: Property, value: string): boolean =>
  value.trim() !== "" && (!isNumber(property) || Number.isFinite(Number(value.replace(",", "."))));

/** Return words as a pattern matches them: small, without diacritics, its signs taken as they are. */
const like = (text: string): string => fold(text.trim()).replaceAll(/[\\%_]/g, (sign) => `\\${sign}`);

/** Return the day so many years before today. */
export function yearsAgo(years: number, now = new Date()): string {
  const day = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()));
  day.setUTCMonth(day.getUTCMonth() - Math.round(years * 12));
  return day.toISOString().slice(0, 10);
}

function writeList({ name, op, values }: Test, property: Property): string | null {
  const known = values.filter((value) => value !== "").map((value) => literal(property, value));
  const parts = [
    ...(known.length > 0 ? [`${name} IN (${known.join(", ")})`] : []),
    ...(values.includes("") ? [`${name} IS NULL`] : []),
  ];
  if (parts.length === 0) return null;
  const any = parts.length > 1 ? `(${parts.join(" OR ")})` : parts[0]!;
  return op === "in" ? any : `NOT (${parts.join(" OR ")})`;
}

/** Return a condition as CQL2, null for one that is not complete. */
export function writeTest(test: Test, property: Property): string | null {
  const { name, op, values } = test;
  const [first = "", second = ""] = values;
  if (op === "empty") return `${name} IS NULL`;
  if (op === "filled") return `${name} IS NOT NULL`;
  if (op === "in" || op === "notin") return writeList(test, property);
  if (op === "between") {
    const low = isUsable(property, first) ? `${name} >= ${literal(property, first)}` : null;
    const high = isUsable(property, second) ? `${name} <= ${literal(property, second)}` : null;
    return low && high ? `${low} AND ${high}` : (low ?? high);
  }
  if (op === "older" || op === "newer") {
    const years = Number(first.replace(",", "."));
    if (first.trim() === "" || !(years >= 0 && years <= 1000)) return null;
    return `${name} ${op === "older" ? "<" : ">="} ${literal(property, yearsAgo(years))}`;
  }
  if (!isUsable(property, first)) return null;
  if (op === "contains" || op === "starts") {
    return `accenti(casei(${name})) LIKE ${quoteText(`${op === "contains" ? "%" : ""}${like(first)}%`)}`;
  }
  return `${name} ${COMPARE[op]} ${literal(property, first)}`;
}

/** Join conditions that all must hold. */
export function both(...filters: (string | null | undefined)[]): string | null {
  const given = filters.filter((filter) => filter);
  return given.length > 1 ? given.map((filter) => `(${filter})`).join(" AND ") : (given[0] ?? null);
}
