/** Tables, and the words of codes that their cells hold. */

import { findVectorLayer } from "../data";
import { type Child, h } from "../dom";
import { formatNumber, formatProperty } from "../format";
import { t } from "../i18n";

const FIRST = 10;

/** Build a table that scrolls sideways; the first cell of a row names it, and of one cell alone it is a heading. */
export function table(headings: string[], rows: Child[][]): HTMLElement {
  const cell = (child: Child, index: number): HTMLElement =>
    h(index === 0 ? "th" : "td", index === 0 ? { scope: "row" } : {}, child);
  const line = (row: Child[]): HTMLElement =>
    row.length === 1 && headings.length > 1
      ? h("tr", { class: "table-group" }, h("th", { scope: "rowgroup", colspan: headings.length }, row[0]))
      : h("tr", {}, ...row.map(cell));
  return h(
    "div",
    { class: "table-holder", tabindex: 0 },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...headings.map((heading) => h("th", { scope: "col" }, heading)))),
      h("tbody", {}, ...rows.map(line)),
    ),
  );
}

/** A table whose rows beyond the first few are folded away. */
export function longTable(headings: string[], rows: Child[][]): HTMLElement {
  const first = table(headings, rows.slice(0, FIRST));
  if (rows.length <= FIRST) return first;
  const words = t("works.more", { count: formatNumber(rows.length - FIRST, 0) });
  return h(
    "div",
    {},
    first,
    h("details", { class: "more" }, h("summary", {}, words), table(headings, rows.slice(FIRST))),
  );
}

/** Return the title of a code of a property; the code itself where the layer does not know it. */
export function codeTitle(layer: string, name: string, value: unknown): string {
  const property = findVectorLayer(layer)?.properties.find((entry) => entry.name === name);
  return property ? formatProperty(value, property) : String(value);
}

/** Return the place of a code in its property's list, for sorting. */
export function codeOrder(layer: string, name: string, value: string): number {
  const property = findVectorLayer(layer)?.properties.find((entry) => entry.name === name);
  return property?.codes?.findIndex((code) => code.value === value) ?? 0;
}
