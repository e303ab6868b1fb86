/** Terms that rows are grouped by: how they are written, said, and turned back into a filter. */

import { findVectorLayer, getCatalog } from "../data";
import { formatNumber, formatProperty, formatUnit } from "../format";
import { say, t } from "../i18n";
import type { Property, VectorLayer } from "../types";
import type { GroupKey, Span } from "./api";
import { isDated, isListed, isNumber, quoteText } from "./tests";
import { propertiesOf } from "./view";

const BINS = 8;
/** Areas that are usual to count by, the finest first. */
const AREAS = ["wards", "dmas", "zoning", "traffic_zones", "provinces"];

export interface Term {
  function: string | null;
  name: string;
}

/** Read a term such as `year(installed)`, `bins(height,8)`, `inside(wards)` or `material`. */
export function readTerm(text: string): Term {
  const [, name = "", inner] = /^(\w+)(?:\((\w+)(?:,\d+)?\))?$/.exec(text) ?? [];
  return inner ? { function: name, name: inner } : { function: null, name };
}

const findProperty = (layer: string, name: string): Property | undefined =>
  propertiesOf(layer).find((property) => property.name === name);

/** Say a term in words. */
export function sayTerm(layer: string, text: string): string {
  const { function: of, name } = readTerm(text);
  if (of === "inside") return say(findVectorLayer(name)?.title, name);
  const title = say(findProperty(layer, name)?.title, name);
  if (of === "year") return t("group.year", { property: title });
  if (of === "age") return t("group.age", { property: title });
  return of === "bins" ? t("group.bins", { property: title }) : title;
}

function areaLayers(): VectorLayer[] {
  const all = getCatalog()
    .themes.flatMap(({ layers }) => layers)
    .filter((layer): layer is VectorLayer => layer.kind === "vector" && layer.count > 0);
  return AREAS.flatMap((id) => all.find((layer) => layer.id === id) ?? []);
}

/** Return the terms that a layer can be grouped by. */
export function termsOf(layer: string): string[] {
  const properties = propertiesOf(layer).slice(1);
  const codes = properties.filter(isListed).map(({ name }) => name);
  const dates = properties
    .filter((property) => isDated(property) || property.unit === "a")
    .flatMap(({ name }) => [`year(${name})`, `age(${name})`]);
  const numbers = properties
    .filter((property) => isNumber(property) && property.unit !== "a")
    .map(({ name }) => `bins(${name},${BINS})`);
  const words = properties
    .filter(({ type, codes: listed }) => type === "string" && !listed?.length)
    .map(({ name }) => name);
  const areas = areaLayers()
    .filter(({ id }) => id !== layer)
    .map(({ id }) => `inside(${id})`);
  return [...areas, ...codes, ...dates, ...numbers, ...words];
}

const isSpan = (key: GroupKey): key is Span => typeof key === "object" && key !== null && "from" in key;

function saySpan({ from, to }: Span, property: Property | undefined, years: boolean): string {
  const unit = years ? t("unit.years") : formatUnit(property?.unit);
  const [low, high] = [from, to].map((end) => formatNumber(end, 2));
  if (from === null) return `< ${high} ${unit}`.trim();
  if (to === null) return `≥ ${low} ${unit}`.trim();
  return `${low} – ${high} ${unit}`.trim();
}

/** Say what a group is called. */
export function sayKey(layer: string, text: string, key: GroupKey): string {
  const { function: of, name } = readTerm(text);
  if (key === null || key === undefined) return of === "inside" ? t("group.outside") : t("table.without");
  if (isSpan(key)) return saySpan(key, findProperty(layer, name), of === "age");
  if (typeof key === "object") return key.name ?? key.id;
  const property = findProperty(layer, name);
  return property && of === null ? formatProperty(key, property) : String(key);
}

/** Return a number by which groups are put in order; words have none. */
export function rankKey(key: GroupKey): number | string {
  if (key === null || key === undefined) return Number.POSITIVE_INFINITY;
  if (isSpan(key)) return key.from ?? Number.NEGATIVE_INFINITY;
  if (typeof key === "number") return key;
  return typeof key === "object" ? (key.name ?? key.id) : String(key);
}

const dayOf = (property: Property | undefined, year: number): string => {
  if (property?.type === "datetime") return `TIMESTAMP('${year}-01-01T00:00:00Z')`;
  return property?.type === "date" ? `DATE('${year}-01-01')` : String(year);
};

/** Return the condition to be in a group; null where it cannot be written. */
export function filterKey(layer: string, text: string, key: GroupKey, isLast: boolean): string | null {
  const { function: of, name } = readTerm(text);
  const property = findProperty(layer, name);
  if (of === "inside") {
    if (key === null) return `NOT inside(${name})`;
    return typeof key === "object" && "id" in key ? `inside(${name}, id = ${quoteText(key.id)})` : null;
  }
  if (key === null || key === undefined) return `${name} IS NULL`;
  if (isSpan(key) && of === "age") {
    const now = new Date().getFullYear();
    const born = key.to === null ? null : `${name} >= ${dayOf(property, now - key.to + 1)}`;
    const until = key.from === null ? null : `${name} < ${dayOf(property, now - key.from + 1)}`;
    return [born, until].filter(Boolean).join(" AND ") || null;
  }
  if (isSpan(key)) {
    const low = key.from === null ? null : `${name} >= ${key.from}`;
    const high = key.to === null ? null : `${name} ${isLast ? "<=" : "<"} ${key.to}`;
    return [low, high].filter(Boolean).join(" AND ") || null;
  }
  if (of === "year" && typeof key === "number") {
    return `${name} >= ${dayOf(property, key)} AND ${name} < ${dayOf(property, key + 1)}`;
  }
  if (typeof key === "number") return `${name} = ${key}`;
  if (typeof key === "boolean") return `${name} = ${key ? "TRUE" : "FALSE"}`;
  if (property?.type === "date") return `${name} = DATE(${quoteText(String(key))})`;
  if (property?.type === "datetime") return `${name} = TIMESTAMP(${quoteText(String(key))})`;
  return typeof key === "string" ? `${name} = ${quoteText(key)}` : null;
}
