/** The quarantine: rows that were not loaded, by reason; one is mended and loaded again, or many at once. */

import type { Map as MapView } from "maplibre-gl";
import { localPath } from "../api";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { say, t } from "../i18n";
import { empty, failure, loading, section, select, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { makeSlice } from "../slices";
import { getState, watch } from "../state";
import type { ZoomToItem } from "../types";
import { type QuarantineCount, type QuarantinePage, type QuarantineRow, readQuarantine } from "./api";
import { saveQuarantine } from "./quarantine-file";
import { manyPart } from "./quarantine-many";
import { rowPart } from "./quarantine-row";
import { fieldTitle } from "./row-words";

const PAGE = 50;
const STATES = ["open", "mended", "dismissed"] as const;

interface Wanted {
  status: string;
  source: string;
  layer: string;
  field: string;
  reason: string;
  text: string;
}

const ALL: Wanted = { status: "open", source: "", layer: "", field: "", reason: "", text: "" };

function readWanted(text: string | null): Wanted {
  const given = new URLSearchParams(text ?? "");
  return Object.fromEntries(
    Object.entries(ALL).map(([key, value]) => [key, given.get(key) ?? value]),
  ) as unknown as Wanted;
}

const wanted = makeSlice<Wanted>("quarantine", readWanted, (value) => {
  const given = Object.entries(value).filter(([key, one]) => one !== ALL[key as keyof Wanted]);
  return given.length > 0 ? new URLSearchParams(given).toString() : null;
});

const queryOf = (value: Wanted): Record<string, string> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== ""));

/** Build the part. */
export function quarantinePart(map: MapView, zoomToItem: ZoomToItem): Part {
  const element = h("div");
  let asked = 0;

  const show = async (): Promise<void> => {
    if (getState().tab !== "inventory" || getState().job !== "quarantine") return;
    const ticket = ++asked;
    replace(element, loading());
    try {
      const page = await readQuarantine({ ...queryOf(wanted.get()), limit: String(PAGE) });
      if (ticket === asked) replace(element, desk(map, page, zoomToItem, show));
    } catch (error) {
      if (ticket !== asked) return;
      replace(
        element,
        failure(error, () => void show()),
      );
    }
  };
  wanted.watch(() => void show());
  watch(["lang"], () => void show());
  return { element, show: () => void show() };
}

const layerTitle = (layer: string): string => say(findVectorLayer(layer)?.title, layer);

const isWhole = (value: Wanted): boolean => value.reason === "" && value.source === "" && value.text === "";

function desk(map: MapView, page: QuarantinePage, zoomToItem: ZoomToItem, again: () => Promise<void>): HTMLElement {
  const value = wanted.get();
  const states = STATES.map((state) => ({ value: state, label: t(`work.state_${state}`) }));
  const search = h("input", {
    class: "input",
    type: "search",
    value: value.text,
    placeholder: t("work.rowText"),
    "aria-label": t("work.rowText"),
    onchange: (event) => wanted.set({ ...wanted.get(), text: (event.target as HTMLInputElement).value.trim() }),
  });
  const element = h("div");
  const open = (row: QuarantineRow): void =>
    replace(
      element,
      rowPart(map, row, zoomToItem, () => void again()),
    );
  replace(
    element,
    h("p", { class: "soft" }, t("work.quarantineHint")),
    h(
      "div",
      { class: "edit-filter" },
      select(t("work.state"), states, value.status, (status) => wanted.set({ ...ALL, status })),
      search,
    ),
    isWhole(value) ? summaryPart(page.summary ?? []) : narrowed(value, page, again),
    page.rows.length > 0
      ? h(
          "div",
          { class: "row" },
          textButton(t("work.export"), () => void saveQuarantine(queryOf(value)), "button-small", "download"),
        )
      : null,
    page.rows.length === 0 ? empty(t(value.status === "open" ? "work.noRows" : "work.noSettled")) : rowList(page, open),
  );
  return element;
}

/** How many rows have which problem; a click leaves only those. */
function summaryPart(summary: readonly QuarantineCount[]): HTMLElement | null {
  if (summary.length === 0) return null;
  const line = (one: QuarantineCount): HTMLElement =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: "count-row",
          onclick: () =>
            wanted.set({
              ...wanted.get(),
              source: one.source,
              layer: one.layer,
              field: one.field ?? "",
              reason: one.reason,
            }),
        },
        h("strong", { class: "count" }, formatNumber(one.rows, 0)),
        h("span", {}, one.field ? `${fieldTitle(one.layer, one.field)}: ${say(one.words)}` : say(one.words)),
        h("span", { class: "soft" }, `${layerTitle(one.layer)} · ${one.source}`),
      ),
    );
  return section(t("work.byReason"), h("ul", { class: "counts" }, ...summary.map(line)));
}

/** What the list is narrowed to, with what can be done to all of it. */
function narrowed(value: Wanted, page: QuarantinePage, again: () => Promise<void>): HTMLElement {
  const problem = page.rows.flatMap(({ problems }) => problems).find(({ reason }) => reason === value.reason);
  const words = [value.field && fieldTitle(value.layer, value.field), problem ? say(problem.words) : value.reason]
    .filter(Boolean)
    .join(": ");
  return h(
    "div",
    {},
    textButton(t("work.allReasons"), () => wanted.set({ ...ALL, status: value.status }), "button-small"),
    words ? section(words, h("p", { class: "soft" }, `${layerTitle(value.layer)} · ${value.source}`)) : null,
    value.status === "open" && value.reason && page.rows.length > 0
      ? manyPart(queryOf(value), () => void again())
      : null,
  );
}

function rowList(page: QuarantinePage, open: (row: QuarantineRow) => void): HTMLElement {
  const list = h("ul", { class: "edits" });
  const more = h("div");
  const add = ({ rows, links }: QuarantinePage): void => {
    list.append(...rows.map((row) => h("li", {}, rowButton(row, open))));
    const next = links.find(({ rel }) => rel === "next")?.href;
    replace(more, next ? textButton(t("work.moreRows"), () => void load(next), "button-small button-wide") : null);
  };
  const load = async (href: string): Promise<void> => {
    replace(more, loading());
    try {
      const query = Object.fromEntries(new URLSearchParams(localPath(href).split("?")[1]));
      add(await readQuarantine(query));
    } catch (error) {
      replace(
        more,
        failure(error, () => void load(href)),
      );
    }
  };
  add(page);
  return h("div", {}, list, more);
}

function rowButton(row: QuarantineRow, open: (row: QuarantineRow) => void): HTMLElement {
  const number = row.row === null ? `#${row.id}` : t("work.rowNumber", { row: row.row });
  const shown = row.problems[0];
  return h(
    "button",
    { type: "button", class: "count-row", "data-row": row.id, onclick: () => open(row) },
    h("strong", {}, number),
    h(
      "span",
      {},
      shown
        ? `${shown.field ? fieldTitle(row.layer, shown.field) : ""} “${shown.value ?? ""}”: ${say(shown.words)}`
        : "",
    ),
    h("span", { class: "soft" }, `${layerTitle(row.layer)} · ${row.uri.split("/").at(-1) ?? ""}`),
  );
}
