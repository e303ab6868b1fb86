/** The grid of rows: only what is in sight is in the page; the arrow keys move in it as the ARIA grid pattern says. */

import { h, replace } from "../dom";
import { formatNumber, formatProperty } from "../format";
import { t } from "../i18n";
import type { Item, Property } from "../types";
import { makeCursor } from "./grid-cursor";
import { headLine } from "./grid-head";
import { isNumber } from "./tests";

export const ROW = 30;
const BEYOND = 8;
/** The first column: tick box and menu. */
const TOOLS = 68;

export interface GridAsks {
  /** A row was clicked or entered. */
  open: (item: Item) => void;
  /** A row was ticked or its tick taken away; `through` extends from the last one. */
  tick: (row: number, through: boolean) => void;
  tickAll: () => void;
  point: (item: Item | null) => void;
  menu: (item: Item, at: Element | { x: number; y: number }) => void;
  head: (property: Property, at: Element) => void;
  sort: (property: Property) => void;
  resize: (property: Property, width: number) => void;
  need: (count: number) => void;
}

export interface GridShows {
  label: string;
  columns: readonly Property[];
  widths: readonly number[];
  pinned: boolean;
  /** Sort signs and filters, by column. */
  sorted: ReadonlyMap<string, "ascending" | "descending">;
  filtered: ReadonlySet<string>;
  total: number;
  rowAt: (row: number) => Item | undefined;
  isTicked: (id: string) => boolean;
  ticked: number;
  chosenId: string | null;
  foot: ReadonlyMap<string, string>;
}

let counter = 0;

/** Make the grid. `show` draws it anew, `refresh` what is in sight, `reveal` brings a row in sight. */
export function makeGrid(asks: GridAsks): {
  element: HTMLElement;
  show: (next: GridShows) => void;
  refresh: () => void;
  reveal: (row: number) => void;
  activeRow: () => number;
} {
  const id = `grid-${++counter}`;
  const head = h("div", { role: "rowgroup", class: "grid-head" });
  const body = h("div", { role: "rowgroup", class: "grid-body" });
  const foot = h("div", { role: "rowgroup", class: "grid-foot" });
  const element = h(
    "div",
    { role: "grid", class: "grid", tabindex: 0, "aria-multiselectable": "true" },
    head,
    body,
    foot,
  );
  const drawn = new Map<number, { element: HTMLElement; item: Item | undefined }>();
  let shown: GridShows | null = null;
  let frame = 0;

  const cellId = (row: number, column: number): string => `${id}-${row}-${column}`;
  const cursor = makeCursor({
    size: () => ({ rows: shown?.total ?? 0, columns: (shown?.columns.length ?? 0) + 1 }),
    page: () => Math.max(1, Math.floor(element.clientHeight / ROW) - 3),
    move: () => {
      revealCursor();
      render();
    },
  });

  const cell = (row: number, column: number, item: Item | undefined, property: Property): HTMLElement => {
    const text = item
      ? formatProperty(property.name === "id" ? item.id : item.properties[property.name], property)
      : "…";
    const kind = `${isNumber(property) ? " grid-number" : ""}${column === 1 && shown?.pinned ? " grid-pinned" : ""}`;
    return h(
      "div",
      {
        role: "gridcell",
        id: cellId(row, column),
        class: `grid-cell${kind}`,
        "aria-colindex": column + 1,
        title: text.length > 18 ? text : null,
      },
      text,
    );
  };
  const toolCell = (row: number, item: Item | undefined): HTMLElement => {
    const box = h("input", {
      type: "checkbox",
      tabindex: -1,
      disabled: !item,
      "aria-label": t("table.tick", { id: item?.id ?? "" }),
      onclick: (event) => {
        event.stopPropagation();
        asks.tick(row, (event as MouseEvent).shiftKey);
      },
    });
    box.checked = item ? shown!.isTicked(item.id) : false;
    const more = h(
      "button",
      {
        type: "button",
        tabindex: -1,
        class: "grid-more",
        "aria-label": t("table.rowMenu", { id: item?.id ?? "" }),
        onclick: (event) => {
          event.stopPropagation();
          if (item) asks.menu(item, event.currentTarget as Element);
        },
      },
      "⋯",
    );
    return h(
      "div",
      { role: "gridcell", id: cellId(row, 0), class: "grid-cell grid-tools", "aria-colindex": 1 },
      box,
      more,
    );
  };
  const makeRow = (row: number, item: Item | undefined): HTMLElement => {
    const ticked = item ? shown!.isTicked(item.id) : false;
    const line = h(
      "div",
      {
        role: "row",
        class: `grid-row${item && item.id === shown!.chosenId ? " grid-chosen" : ""}`,
        "aria-rowindex": row + 2,
        "aria-selected": String(ticked),
        "data-row": row,
        "data-id": item?.id ?? null,
      },
      toolCell(row, item),
      ...shown!.columns.map((property, at) => cell(row, at + 1, item, property)),
    );
    line.style.top = `${row * ROW}px`;
    return line;
  };

  const render = (): void => {
    if (!shown) return;
    const first = Math.max(0, Math.floor(element.scrollTop / ROW) - BEYOND);
    const last = Math.min(shown.total, Math.ceil((element.scrollTop + element.clientHeight) / ROW) + BEYOND);
    for (const [row, line] of drawn) {
      if (row >= first && row < last && line.item === shown.rowAt(row)) continue;
      line.element.remove();
      drawn.delete(row);
    }
    for (let row = first; row < last; row++) {
      if (drawn.has(row)) continue;
      const item = shown.rowAt(row);
      const line = { element: makeRow(row, item), item };
      drawn.set(row, line);
      const after = drawn.get(row - 1)?.element.nextSibling ?? drawn.get(row + 1)?.element ?? null;
      body.insertBefore(line.element, after);
    }
    asks.need(last);
    const { row, column } = cursor.get();
    for (const old of element.querySelectorAll(".grid-active")) old.classList.remove("grid-active");
    const active = document.getElementById(cellId(row, column));
    active?.classList.add("grid-active");
    if (active) element.setAttribute("aria-activedescendant", active.id);
    else element.removeAttribute("aria-activedescendant");
  };
  const later = (): void => {
    if (frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      render();
    });
  };
  const setTracks = (widths: readonly number[]): void => {
    const tracks = [TOOLS, ...widths];
    element.style.setProperty("--tracks", tracks.map((width) => `${width}px`).join(" "));
    element.style.setProperty("--across", `${tracks.reduce((sum, width) => sum + width, 0)}px`);
  };
  const revealRow = (row: number): void => {
    const [top, room] = [row * ROW, element.clientHeight - head.offsetHeight - foot.offsetHeight];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW > element.scrollTop + room) element.scrollTop = top + ROW - room;
  };
  const revealCursor = (): void => {
    const { row, column } = cursor.get();
    if (row >= 0) revealRow(row);
    if (!shown || column < 1) return;
    const pinned = TOOLS + (shown.pinned ? (shown.widths[0] ?? 0) : 0);
    const left = TOOLS + shown.widths.slice(0, column - 1).reduce((sum, width) => sum + width, 0);
    const right = left + (shown.widths[column - 1] ?? 0);
    if (column === 1 || left - pinned < element.scrollLeft) element.scrollLeft = Math.max(0, left - pinned);
    else if (right > element.scrollLeft + element.clientWidth) element.scrollLeft = right - element.clientWidth;
  };

  const showHead = (): void =>
    replace(
      head,
      headLine(shown!, asks, cellId, (at, width) => setTracks((shown?.widths ?? []).with(at, width))),
    );
  const showFoot = (): void => {
    const { columns, foot: told, total } = shown!;
    foot.hidden = told.size === 0;
    const cells = columns.map((property, at) =>
      h(
        "div",
        {
          role: "gridcell",
          class: `grid-cell grid-number${at === 0 && shown!.pinned ? " grid-pinned" : ""}`,
          "aria-colindex": at + 2,
        },
        told.get(property.name) ?? "",
      ),
    );
    const tools = h("div", { role: "gridcell", class: "grid-cell grid-tools", "aria-colindex": 1 });
    replace(foot, h("div", { role: "row", class: "grid-line", "aria-rowindex": total + 2 }, tools, ...cells));
  };

  const show = (next: GridShows): void => {
    shown = next;
    element.setAttribute("aria-label", next.label);
    element.setAttribute("aria-rowcount", String(next.total + (next.foot.size > 0 ? 2 : 1)));
    element.setAttribute("aria-colcount", String(next.columns.length + 1));
    setTracks(next.widths);
    body.style.height = `${next.total * ROW}px`;
    for (const line of drawn.values()) line.element.remove();
    drawn.clear();
    showHead();
    showFoot();
    cursor.clamp();
    render();
  };
  const rowOf = (event: Event): number | null => {
    const line = (event.target as Element).closest("[data-row]");
    return line ? Number(line.getAttribute("data-row")) : null;
  };

  element.addEventListener("scroll", later, { passive: true });
  new ResizeObserver(later).observe(element);
  body.addEventListener("click", (event) => {
    const row = rowOf(event);
    if (row === null) return;
    const column = Number((event.target as Element).closest("[aria-colindex]")?.getAttribute("aria-colindex") ?? 1) - 1;
    cursor.set({ row, column });
    element.focus({ preventScroll: true });
    const { ctrlKey, metaKey, shiftKey } = event as MouseEvent;
    const item = shown?.rowAt(row);
    if (ctrlKey || metaKey || shiftKey) asks.tick(row, shiftKey);
    else if (item) asks.open(item);
  });
  body.addEventListener("contextmenu", (event) => {
    const item = shown?.rowAt(rowOf(event) ?? -1);
    if (!item) return;
    event.preventDefault();
    asks.menu(item, { x: event.clientX, y: event.clientY });
  });
  body.addEventListener("pointerover", (event) => asks.point(shown?.rowAt(rowOf(event) ?? -1) ?? null));
  body.addEventListener("pointerleave", () => asks.point(null));
  element.addEventListener("keydown", (event) => {
    if (event.target !== element || !shown) return;
    if (cursor.key(event)) return;
    const { row, column } = cursor.get();
    const property = shown.columns[column - 1];
    const at = document.getElementById(cellId(row, column)) ?? element;
    const isMenu = event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey);
    if (!["Enter", " ", "ContextMenu", "F10", "F2"].includes(event.key)) return;
    event.preventDefault();
    if (row < 0) {
      if (property && (isMenu || event.key === "F2" || event.key === "Enter")) asks.head(property, at);
      else if (property) asks.sort(property);
      else asks.tickAll();
      return;
    }
    const item = shown.rowAt(row);
    if (!item) return;
    if (isMenu || event.key === "F2") asks.menu(item, at);
    else if (event.key === " ") asks.tick(row, event.shiftKey);
    else asks.open(item);
  });
  element.addEventListener("focus", () => {
    const item = shown?.rowAt(cursor.get().row);
    if (item) asks.point(item);
    render();
  });
  return {
    element,
    show,
    refresh: render,
    reveal: (row) => {
      cursor.set({ row, column: cursor.get().column });
      revealRow(row);
      render();
    },
    activeRow: () => cursor.get().row,
  };
}

/** Words for the count of rows. */
export const countWords = (total: number | null): string =>
  total === null ? t("table.counting") : t("table.rows", { count: formatNumber(total, 0) });
