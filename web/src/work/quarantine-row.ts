/** One row that was not loaded: what it held, what is wrong with it, and the form in which it is mended. */

import type { Map as MapView } from "maplibre-gl";
import { ApiError } from "../api";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { highlight, zoomTo } from "../map/pick";
import { itemButton } from "../panels/item-button";
import { notify } from "../panels/notice";
import { failure, loading, section, textButton } from "../panels/parts";
import type { ZoomToItem } from "../types";
import { dismissRow, mendRow, type QuarantineRow, type RowProblem, readQuarantineRow } from "./api";
import { tellWritten } from "./changed";
import { formFrame } from "./form-frame";
import { makeGeometryField } from "./geometry-field";
import { makeReasonField } from "./reason-field";
import { fieldTitle, problemWords } from "./row-words";
import { readWkt } from "./wkt";

const SHAPE = "_wkt";
const PLACED = "_crs";
const WRONG = 422;

const isCell = (name: string): boolean => name !== SHAPE && name !== PLACED;

/** Return where the row says it is, where it says so in degrees. */
function placeOf(row: QuarantineRow): GeoJSON.Geometry | null {
  const held = { ...row.payload, ...row.changes };
  const crs = String(held[PLACED] ?? "");
  return crs === "OGC:CRS84" || crs === "EPSG:4326" ? readWkt(String(held[SHAPE] ?? "")) : null;
}

/** Build the part; `back` is called when the row is settled or left. */
export function rowPart(map: MapView, row: QuarantineRow, zoomToItem: ZoomToItem, back: () => void): HTMLElement {
  const element = h("div", { class: "row-detail" });
  show(map, element, row, zoomToItem, back);
  return element;
}

function show(map: MapView, element: HTMLElement, row: QuarantineRow, zoomToItem: ZoomToItem, back: () => void): void {
  const place = placeOf(row);
  if (place) highlight(map, place);
  const leave = (): void => {
    highlight(map, null);
    back();
  };
  replace(
    element,
    textButton(t("work.back"), leave, "button-small"),
    h(
      "header",
      { class: "editor-head" },
      h("h3", {}, row.row === null ? `#${row.id}` : t("work.rowNumber", { row: row.row })),
      h(
        "p",
        { class: "soft" },
        `${say(findVectorLayer(row.layer)?.title, row.layer)} · ${row.uri.split("/").at(-1) ?? ""}`,
      ),
    ),
    problemList(row),
    place ? textButton(t("work.onMap"), () => zoomTo(map, place), "button-small", "target") : null,
    row.status === "open"
      ? mendForm(map, row, place, leave, (next) => show(map, element, next, zoomToItem, back))
      : settledPart(row, zoomToItem),
  );
}

function problemList(row: QuarantineRow): HTMLElement {
  const line = (one: RowProblem): HTMLElement =>
    h(
      "li",
      { class: "finding finding-error" },
      one.field ? h("strong", {}, fieldTitle(row.layer, one.field)) : null,
      one.value === null ? " " : ` “${one.value}”: `,
      problemWords(one),
    );
  return h("ul", { class: "findings" }, ...row.problems.map(line));
}

function settledPart(row: QuarantineRow, zoomToItem: ZoomToItem): HTMLElement {
  const problem = h("div");
  const made = row.feature_id;
  const values = Object.entries({ ...row.payload, ...row.changes }).filter(([name]) => isCell(name));
  return h(
    "div",
    {},
    h(
      "p",
      {},
      `${t(`work.state_${row.status}`)} ${formatShortDateTime(row.settled)} · ${row.settled_by ?? ""} ${row.settled_why ?? ""}`,
    ),
    made && row.status === "mended" ? itemButton(row.layer, made, zoomToItem, problem) : null,
    problem,
    h(
      "dl",
      { class: "properties" },
      ...values.map(([name, value]) =>
        h("div", { class: "property" }, h("dt", {}, name), h("dd", {}, value === null ? "–" : String(value))),
      ),
    ),
  );
}

let counter = 0;

function mendForm(
  map: MapView,
  row: QuarantineRow,
  place: GeoJSON.Geometry | null,
  leave: () => void,
  shown: (row: QuarantineRow) => void,
): HTMLElement {
  const wrong = new Map(row.problems.map((problem) => [problem.field, problemWords(problem)]));
  const held = { ...row.payload, ...row.changes };
  const cells = Object.keys(held).filter(isCell);
  // What is wrong comes first.
  cells.sort((a, b) => Number(wrong.has(b)) - Number(wrong.has(a)));
  const boxes = new Map<string, HTMLInputElement>();
  const said = h("div", { "aria-live": "polite" });
  const reason = makeReasonField();
  let geometry: GeoJSON.Geometry | null = null;
  const field = (name: string): HTMLElement => {
    const id = `cell-${++counter}`;
    const value = held[name];
    const box = h("input", {
      id,
      name,
      class: "input",
      autocomplete: "off",
      value: value === null || value === undefined ? "" : String(value),
      "aria-invalid": String(wrong.has(name)),
      "aria-describedby": `${id}-error`,
    });
    boxes.set(name, box);
    return h(
      "div",
      { class: "field" },
      h("label", { for: id, class: "field-label" }, name),
      box,
      h("span", { class: "field-error", id: `${id}-error` }, wrong.get(name) ?? ""),
    );
  };
  const placing = makeGeometryField(map, row.layer, {
    get: () => geometry ?? place,
    set: (next) => {
      geometry = next;
    },
  });
  const changes = (): Record<string, unknown> =>
    Object.fromEntries(
      [...boxes].flatMap(([name, box]) => {
        const before = held[name] === null || held[name] === undefined ? "" : String(held[name]);
        return box.value === before ? [] : [[name, box.value === "" ? null : box.value]];
      }),
    );
  const mend = async (): Promise<void> => {
    const why = reason.read();
    if (why === null) return;
    const properties = changes();
    if (Object.keys(properties).length === 0 && !geometry) {
      replace(said, h("p", { class: "field-error" }, t("work.nothingMended")));
      return;
    }
    replace(said, loading(t("work.loadingRow")));
    placing.stop();
    try {
      const done = await mendRow(row.id, { properties, ...(geometry ? { geometry } : {}) }, why);
      await tellWritten(map, [done.layer]);
      notify(t("work.rowMended", { id: done.feature_id ?? "" }));
      leave();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== WRONG) {
        replace(said, failure(error));
        return;
      }
      // What was changed is kept, and the row says anew what is wrong with it.
      notify(t("work.rowStillWrong"));
      shown(await readQuarantineRow(row.id));
    }
  };
  const dismiss = async (): Promise<void> => {
    const why = reason.read();
    if (why === null) return;
    try {
      await dismissRow(row.id, why);
      notify(t("work.rowDismissed"));
      leave();
    } catch (error) {
      replace(said, failure(error));
    }
  };
  const first = cells.filter((name) => wrong.has(name)).map(field);
  const rest = cells.filter((name) => !wrong.has(name)).map(field);
  return formFrame(
    mend,
    "",
    ...first,
    wrong.has("geometry") || cells.length === 0 ? placing.element : null,
    section(t("work.otherValues"), ...rest),
    wrong.has("geometry") || cells.length === 0 ? null : placing.element,
    reason.element,
    said,
    h(
      "div",
      { class: "editor-actions" },
      h("button", { type: "submit", class: "button button-primary" }, t("work.mend")),
      textButton(t("work.dismiss"), () => void dismiss()),
    ),
  );
}
