/** The head of the grid: a click sorts, a button opens the menu of the column, the edge changes the width. */

import { h } from "../dom";
import { t } from "../i18n";
import { icon } from "../icons";
import type { Property } from "../types";
import { bounded, headOf } from "./columns";
import type { GridAsks, GridShows } from "./grid";

type CellId = (row: number, column: number) => string;

/** Let the edge of a column be dragged; while it is, only the tracks of the grid follow. */
function dragWidth(
  event: PointerEvent,
  width: number,
  follow: (width: number) => void,
  end: (width: number) => void,
): void {
  event.preventDefault();
  event.stopPropagation();
  const grip = event.currentTarget as HTMLElement;
  const from = event.clientX;
  let now = width;
  grip.setPointerCapture(event.pointerId);
  const move = (next: PointerEvent): void => {
    now = bounded(width + next.clientX - from);
    follow(now);
  };
  grip.addEventListener("pointermove", move);
  grip.addEventListener(
    "pointerup",
    () => {
      grip.removeEventListener("pointermove", move);
      end(now);
    },
    { once: true },
  );
}

function headCell(
  property: Property,
  at: number,
  shows: GridShows,
  asks: GridAsks,
  cellId: CellId,
  follow: (at: number, width: number) => void,
): HTMLElement {
  const sign = shows.sorted.get(property.name);
  const filtered = shows.filtered.has(property.name);
  const words = headOf(property);
  const grip = h("span", { class: "grid-grip", "aria-hidden": "true", onclick: (event) => event.stopPropagation() });
  grip.addEventListener("pointerdown", (event) =>
    dragWidth(
      event,
      shows.widths[at] ?? 0,
      (width) => follow(at, width),
      (width) => asks.resize(property, width),
    ),
  );
  const more = h(
    "button",
    {
      type: "button",
      tabindex: -1,
      class: "grid-more",
      "aria-label": t("table.columnMenu", { column: words }),
      onclick: (event) => {
        event.stopPropagation();
        asks.head(property, event.currentTarget as Element);
      },
    },
    filtered ? icon("funnel", 14) : "⋮",
  );
  const kind = `${at === 0 && shows.pinned ? " grid-pinned" : ""}${filtered ? " grid-filtered" : ""}`;
  return h(
    "div",
    {
      role: "columnheader",
      id: cellId(-1, at + 1),
      class: `grid-cell grid-heading${kind}`,
      "aria-colindex": at + 2,
      "aria-sort": sign ?? "none",
      title: words,
      "data-column": property.name,
      onclick: () => asks.sort(property),
    },
    h("span", { class: "grid-title" }, words),
    sign ? h("span", { class: "grid-sign", "aria-hidden": "true" }, sign === "ascending" ? "▲" : "▼") : null,
    more,
    grip,
  );
}

/** Build the line of headings; `follow` is told of a width while it is dragged. */
export function headLine(
  shows: GridShows,
  asks: GridAsks,
  cellId: CellId,
  follow: (at: number, width: number) => void,
): HTMLElement {
  const { columns, ticked, total } = shows;
  const box = h("input", {
    type: "checkbox",
    tabindex: -1,
    "aria-label": t(ticked > 0 ? "table.untickAll" : "table.tickAll"),
    onclick: () => asks.tickAll(),
  });
  box.checked = ticked > 0;
  box.indeterminate = ticked > 0 && ticked < total;
  const look = { role: "columnheader", id: cellId(-1, 0), class: "grid-cell grid-tools", "aria-colindex": 1 };
  const cells = columns.map((property, at) => headCell(property, at, shows, asks, cellId, follow));
  return h("div", { role: "row", class: "grid-line", "aria-rowindex": 1 }, h("div", look, box), ...cells);
}
