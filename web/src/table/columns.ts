/** Columns of the table: how wide, which side, what is added up at the foot. */

import { say } from "../i18n";
import type { Property } from "../types";
import { isDated, isListed, isNumber } from "./tests";

const NARROWEST = 64;
const WIDEST = 640;
const PER_LETTER = 7.4;
const HEAD_ROOM = 48;
/** Units of which a sum tells something; of the others the mean does. */
const ADDED: ReadonlySet<string> = new Set(["W", "m2", "m3", "{people}", "{VND}", "lm", "kW.h", "m3/d"]);
const LONGEST_MEASURES = 9;

/** Widths that somebody chose, by layer and column. */
const chosen = new Map<string, number>();

export const bounded = (width: number): number => Math.round(Math.min(Math.max(width, NARROWEST), WIDEST));

/** The heading of a column; values carry their units themselves. */
export const headOf = (property: Property): string => say(property.title);

function usualWidth(property: Property): number {
  const words = headOf(property).length * PER_LETTER + HEAD_ROOM;
  const least =
    property.name === "id" ? 128 : isNumber(property) ? 96 : isListed(property) || isDated(property) ? 124 : 150;
  return Math.min(Math.max(words, least), 260);
}

export const widthOf = (layer: string, property: Property): number =>
  chosen.get(`${layer}/${property.name}`) ?? Math.round(usualWidth(property));

export function setWidth(layer: string, name: string, width: number): void {
  chosen.set(`${layer}/${name}`, bounded(width));
}

export type Total = "sum" | "avg" | "min" | "max";
export const TOTALS: readonly Total[] = ["sum", "avg", "min", "max"];

const totals = new Map<string, Total>();

/** Return what is told of a column of numbers at the foot. */
export function totalOf(layer: string, property: Property): Total {
  const usual = ADDED.has(property.unit ?? "") || property.name === "length" ? "sum" : "avg";
  return totals.get(`${layer}/${property.name}`) ?? usual;
}

export function setTotal(layer: string, name: string, total: Total): void {
  totals.set(`${layer}/${name}`, total);
}

/** Return the measures of the foot, by column; the server computes ten at a time. */
export function measuresOf(layer: string, columns: readonly Property[]): Map<string, string> {
  const numeric = columns.filter((property) => isNumber(property) && property.unit !== "a");
  return new Map(
    numeric
      .slice(0, LONGEST_MEASURES)
      .map((property) => [property.name, `${totalOf(layer, property)}(${property.name})`]),
  );
}
