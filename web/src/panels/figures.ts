/** The plain figures of a summary that nobody wrote a page for: names as they are, numbers as people read them. */

import { type Child, h } from "../dom";
import { formatNumber } from "../format";
import { t } from "../i18n";
import { section } from "./parts";
import { table } from "./table";

const MOST_ROWS = 40;
const LONGEST = 60;

/** Return name and value of each figure, parts of parts named by both. */
function listFigures(summary: object, prefix = ""): [string, Child][] {
  return Object.entries(summary).flatMap(([name, value]: [string, unknown]): [string, Child][] => {
    const words = `${prefix}${name.replaceAll("_", " ")}`;
    if (typeof value === "number") return [[words, formatNumber(value, 3)]];
    if (typeof value === "string") return [[words, value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value]];
    if (typeof value === "boolean") return [[words, t(value ? "card.yes" : "card.no")]];
    if (value && !Array.isArray(value) && prefix.length < 30) return listFigures(value, `${words} · `);
    return [];
  });
}

/** Build the table of a summary; null where it says nothing. */
export function figuresTable(summary: object | null): HTMLElement | null {
  const figures = listFigures(summary ?? {}).slice(0, MOST_ROWS);
  if (figures.length === 0) return null;
  return section(t("network.figures"), table([t("results.name"), t("results.value")], figures));
}

/** The same, folded away under what is said in words. */
export function foldedFigures(summary: object | null): HTMLElement | null {
  const figures = figuresTable(summary);
  return figures && h("details", { class: "more" }, h("summary", {}, t("network.figures")), figures);
}
