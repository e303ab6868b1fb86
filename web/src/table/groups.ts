/** Rows in groups: what each adds up to, and its rows on demand. */

import { findVectorLayer } from "../data";
import { type Child, h, replace } from "../dom";
import { formatArea, formatLength, formatNumber, formatProperty, formatShare } from "../format";
import { say, t } from "../i18n";
import { icon } from "../icons";
import { csvText, saveText } from "../panels/csv";
import { empty, failure, loading, select, textButton } from "../panels/parts";
import { table } from "../panels/table";
import type { Item, Property } from "../types";
import { type Aggregate, fileQuery, type Page, type Row, readAggregate, readFirst, selectionOf } from "./api";
import { headOf } from "./columns";
import { filterKey, rankKey, sayKey, sayTerm, termsOf } from "./group-terms";
import { isNumber } from "./tests";
import { changeView, columnsOf, propertiesOf, type View } from "./view";

const INNER = 50;
const INNER_COLUMNS = 8;
const FUNCTIONS = ["sum", "avg", "min", "max"] as const;

export interface GroupAsks {
  box: () => string | null;
  /** Show only what is in a group, as rows. */
  narrow: (filter: string) => void;
  open: (item: Item) => void;
  counted: (total: number) => void;
}

const propertyOf = (layer: string, measure: string): Property | undefined =>
  propertiesOf(layer).find(({ name }) => measure.endsWith(`(${name})`));

function sayMeasure(layer: string, measure: string): string {
  const property = propertyOf(layer, measure);
  if (property) return `${t(`total.${measure.split("(")[0] as "sum"}`)} ${headOf(property)}`;
  return t(`size.${measure as "count"}`);
}

function formatMeasure(layer: string, measure: string, value: unknown): string {
  if (measure === "count") return formatNumber(Number(value), 0);
  if (typeof value === "number" && measure === "length") return formatLength(value);
  if (typeof value === "number" && measure === "area") return formatArea(value);
  const property = propertyOf(layer, measure);
  return property ? formatProperty(value, { ...property, type: isNumber(property) ? "number" : property.type }) : "–";
}

/** Return what is computed of each group. */
export function measuresOf({ layer, measure }: View): string[] {
  const shape = findVectorLayer(layer)?.geometry;
  const size = shape === "LineString" ? ["length"] : shape === "MultiPolygon" ? ["area"] : [];
  return ["count", ...size, ...(measure ? [measure] : [])];
}

/** Build the fields: by what, then by what, and what is computed. */
export function groupFields(view: View): HTMLElement {
  const { layer, group, measure } = view;
  const terms = termsOf(layer).map((value) => ({ value, label: sayTerm(layer, value) }));
  const numbers = propertiesOf(layer).filter((property) => isNumber(property) && property.unit !== "a");
  const measures = numbers.flatMap((property) =>
    FUNCTIONS.map((of) => ({ value: `${of}(${property.name})`, label: `${t(`total.${of}`)} ${say(property.title)}` })),
  );
  const first = select(t("group.by"), terms, group[0] ?? "", (value) =>
    changeView({ group: [value, ...group.slice(1)] }),
  );
  const second = select(
    t("group.then"),
    [{ value: "", label: t("group.nothing") }, ...terms.filter(({ value }) => value !== group[0])],
    group[1] ?? "",
    (value) => changeView({ group: value ? [group[0]!, value] : [group[0]!] }),
  );
  const third = select(
    t("group.measure"),
    [{ value: "", label: t("group.countOnly") }, ...measures],
    measure,
    (value) => changeView({ measure: value }),
  );
  const field = (words: string, box: HTMLElement): HTMLElement =>
    h("label", { class: "group-field" }, h("span", { class: "soft" }, words), box);
  return h(
    "div",
    { class: "group-fields" },
    field(t("group.by"), first),
    field(t("group.then"), second),
    field(t("group.measure"), third),
    textButton(t("group.end"), () => changeView({ group: [] }), "button-small"),
  );
}

/** The rows of a group, the first ones. */
async function readInner(view: View, filter: string, box: string | null, signal: AbortSignal): Promise<Page> {
  const names = columnsOf(view).map(({ name }) => name);
  return readFirst(view.layer, fileQuery(view, selectionOf(view, box, filter), names), INNER, signal);
}

function innerTable(view: View, page: Page, filter: string, asks: GroupAsks): HTMLElement {
  const columns = columnsOf(view).slice(0, INNER_COLUMNS);
  const line = (item: Item): Child[] =>
    columns.map((property) =>
      property.name === "id"
        ? h("button", { type: "button", class: "link-button", onclick: () => asks.open(item) }, item.id)
        : formatProperty(item.properties[property.name], property),
    );
  const total = page.numberMatched ?? page.features.length;
  return h(
    "div",
    { class: "group-rows" },
    table(columns.map(headOf), page.features.map(line)),
    textButton(t("group.all", { count: formatNumber(total, 0) }), () => asks.narrow(filter), "button-small"),
  );
}

/** Make the view of groups; `show` reads them. */
export function makeGroups(asks: GroupAsks): { element: HTMLElement; show: (view: View) => void; save: () => void } {
  const element = h("div", { class: "groups" });
  let request = new AbortController();
  let order: { column: number; down: boolean } | null = null;
  let shown: { view: View; found: Aggregate; rows: Row[] } | null = null;
  const opened = new Set<Row>();

  const sortValue = (row: Row, column: number): number | string => {
    const { view } = shown!;
    const term = view.group[column];
    if (term) return rankKey(row[term] ?? null);
    return Number(row[measuresOf(view)[column - view.group.length]!] ?? Number.NEGATIVE_INFINITY);
  };
  const sorted = (): Row[] => {
    if (!shown || !order) return shown?.rows ?? [];
    const { column, down } = order;
    const compare = (a: Row, b: Row): number => {
      const [one, other] = [sortValue(a, column), sortValue(b, column)];
      if (typeof one === "number" && typeof other === "number") return one - other;
      return String(one).localeCompare(String(other), "vi");
    };
    return [...shown.rows].sort((a, b) => (down ? compare(b, a) : compare(a, b)));
  };
  const filterOfRow = (row: Row): string | null => {
    const { view, rows } = shown!;
    const parts = view.group.map((term) => {
      const key = row[term] ?? null;
      const highest = Math.max(...rows.map((one) => Number(rankKey(one[term] ?? null))).filter(Number.isFinite));
      return filterKey(view.layer, term, key, rankKey(key) === highest);
    });
    return parts.every(Boolean) ? parts.map((part) => `(${part})`).join(" AND ") : null;
  };
  const openRow = (row: Row, holder: HTMLElement): void => {
    const { view } = shown!;
    const filter = filterOfRow(row);
    if (!filter) return;
    replace(holder, loading());
    readInner(view, filter, asks.box(), request.signal).then(
      (page) => replace(holder, page.features.length ? innerTable(view, page, filter, asks) : empty(t("table.none"))),
      (error: unknown) => {
        if (!request.signal.aborted)
          replace(
            holder,
            failure(error, () => openRow(row, holder)),
          );
      },
    );
  };
  const lines = (row: Row, at: number): HTMLElement[] => {
    const { view, found } = shown!;
    const measures = measuresOf(view);
    const isOpen = opened.has(row);
    const inner = h("td", { colspan: view.group.length + measures.length + 1, id: `group-${at}` });
    const toggle = h(
      "button",
      {
        type: "button",
        class: "group-toggle",
        "aria-expanded": String(isOpen),
        "aria-controls": `group-${at}`,
        onclick: () => {
          if (!opened.delete(row)) opened.add(row);
          draw(at);
        },
      },
      icon("chevron", 14),
      sayKey(view.layer, view.group[0]!, row[view.group[0]!] ?? null),
    );
    if (isOpen) openRow(row, inner);
    const share = Number(row["count"]) / Math.max(1, Number(found.total["count"]));
    return [
      h(
        "tr",
        { class: "group-line" },
        h("th", { scope: "row" }, toggle),
        ...view.group.slice(1).map((term) => h("td", {}, sayKey(view.layer, term, row[term] ?? null))),
        ...measures.map((measure) =>
          h("td", { class: "grid-number" }, formatMeasure(view.layer, measure, row[measure])),
        ),
        h("td", { class: "grid-number soft" }, formatShare(share)),
      ),
      h("tr", { hidden: !isOpen }, inner),
    ];
  };
  const heading = (words: string, column: number): HTMLElement => {
    const mine = order?.column === column ? order : null;
    return h(
      "th",
      {
        scope: "col",
        "aria-sort": mine ? (mine.down ? "descending" : "ascending") : "none",
        class: column >= (shown?.view.group.length ?? 0) ? "grid-number" : null,
      },
      h(
        "button",
        {
          type: "button",
          class: "group-sort",
          onclick: () => {
            order = { column, down: mine ? !mine.down : column >= (shown?.view.group.length ?? 0) };
            draw(null, column);
          },
        },
        words,
        mine ? h("span", { "aria-hidden": "true" }, mine.down ? " ▼" : " ▲") : null,
      ),
    );
  };
  const draw = (focusRow: number | null = null, focusColumn: number | null = null): void => {
    if (!shown) return;
    const { view, found } = shown;
    const measures = measuresOf(view);
    const total = h(
      "tr",
      { class: "group-total" },
      h("th", { scope: "row", colspan: view.group.length }, t("group.total")),
      ...measures.map((measure) =>
        h("td", { class: "grid-number" }, formatMeasure(view.layer, measure, found.total[measure])),
      ),
      h("td", { class: "grid-number" }, "100 %"),
    );
    const top = element.scrollTop;
    replace(
      element,
      h(
        "table",
        {},
        h("caption", { class: "soft" }, t("group.caption", { count: formatNumber(found.groups.length, 0) })),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...[
              ...view.group.map((term) => sayTerm(view.layer, term)),
              ...measures.map((one) => sayMeasure(view.layer, one)),
            ].map(heading),
            h("th", { scope: "col", class: "grid-number" }, t("group.share")),
          ),
        ),
        h("tbody", {}, ...sorted().flatMap(lines)),
        h("tfoot", {}, total),
      ),
      found.truncated ? h("p", { class: "soft note" }, t("group.truncated")) : null,
    );
    element.scrollTop = top;
    if (focusRow !== null) element.querySelectorAll<HTMLElement>(".group-toggle")[focusRow]?.focus();
    if (focusColumn !== null) element.querySelectorAll<HTMLElement>(".group-sort")[focusColumn]?.focus();
  };
  const show = (view: View): void => {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    opened.clear();
    if (shown?.view.layer !== view.layer) order = null;
    replace(element, loading(t("group.reading")));
    readAggregate(view.layer, selectionOf(view, asks.box()), view.group, measuresOf(view), signal).then(
      (found) => {
        shown = { view, found, rows: found.groups };
        asks.counted(Number(found.total["count"]));
        if (found.groups.length === 0) replace(element, empty(t("table.none")));
        else draw();
      },
      (error: unknown) => {
        if (!signal.aborted)
          replace(
            element,
            failure(error, () => show(view)),
          );
      },
    );
  };
  const save = (): void => {
    if (!shown) return;
    const { view } = shown;
    const measures = measuresOf(view);
    const headings = [
      ...view.group.map((term) => sayTerm(view.layer, term)),
      ...measures.map((one) => sayMeasure(view.layer, one)),
    ];
    const rows = sorted().map((row) => [
      ...view.group.map((term) => sayKey(view.layer, term, row[term] ?? null)),
      ...measures.map((measure) => row[measure]),
    ]);
    saveText(`${view.layer}-groups.csv`, csvText([headings, ...rows]));
  };
  return { element, show, save };
}
