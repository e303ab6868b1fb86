/** The attribute table below the map: rows and map show the same, in both directions. */

import "../styles/table.css";
import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatProperty } from "../format";
import { addWords, explain, say, t } from "../i18n";
import { tableEn } from "../i18n/table-en";
import { tableVi } from "../i18n/table-vi";
import { boundsOf, zoomToBounds } from "../map/pick";
import { notify } from "../panels/notice";
import { empty, failure } from "../panels/parts";
import { getState, setState, watch } from "../state";
import type { Item, Property } from "../types";
import { openBulk } from "../work/open";
import { fileQuery, inIds, readAggregate, readShapes, selectionOf } from "./api";
import { choose, chosenOf, onChosen, toggleChosen } from "./chosen";
import { openColumnMenu, sortBy } from "./column-menu";
import { measuresOf, setWidth, type Total, totalOf, widthOf } from "./columns";
import { openColumns } from "./columns-menu";
import { copyRows, openExport } from "./export";
import { makeFrame } from "./frame";
import { countWords, type GridShows, makeGrid } from "./grid";
import { groupFields, makeGroups } from "./groups";
import { drawFound } from "./on-map";
import { openRowMenu } from "./row-menu";
import { type Rows, readRows } from "./rows";
import { followRows } from "./rows-on-map";
import { filterChips, makeBar, makeTabs } from "./toolbar";
import { traceFrom } from "./trace-from";
import { activeView, changeView, columnsOf, filterOf, tables, type View } from "./view";

addWords({ vi: tableVi, en: tableEn });

/** Before what a column adds up to; the menu of the column says which is told. */
const SIGNS: Record<Total, string> = { sum: "Σ", avg: "⌀", min: "↓", max: "↑" };
const MOST_ZOOMED = 500;
/** How far a chosen item is looked for among rows that are not read yet. */
const SOUGHT = 3000;

/** Return what the map shows, as the server takes it. */
function boxOf(map: MapView): string {
  const bounds = map.getBounds();
  const sides = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  return sides.map((side) => side.toFixed(5)).join(",");
}

/** Build the dock and keep it in step with the link, from now on. */
export function startDock(map: MapView): void {
  const bars = h("div", { class: "dock-bars" });
  const holder = h("div", { class: "dock-body", id: "table-body", role: "tabpanel" });
  const frame = makeFrame(h("div", { class: "dock-content" }, bars, holder));
  const onMap = followRows(map);
  let rows: Rows | null = null;
  let foot: ReadonlyMap<string, string> = new Map();
  let request = new AbortController();
  let chosenOnly = false;
  let last = -1;
  let asked = "";

  const view = (): View => activeView()!;
  const layerTitle = (layer: string): string => say(findVectorLayer(layer)?.title, layer);
  const chosenIds = (): string[] => [...chosenOf(view().layer)];
  const only = (): string | null => (chosenOnly && chosenIds().length > 0 ? inIds(chosenIds()) : null);
  const selection = (): Record<string, string> => selectionOf(view(), boxOf(map), only());

  const openItem = (item: Item): void => {
    setState({ place: null, selection: { layer: view().layer, id: item.id } });
    onMap.seek(view().layer, item.id);
  };
  const grid = makeGrid({
    open: openItem,
    tick: (row, through) => {
      const item = rows?.list[row];
      if (!item) return;
      if (through && last >= 0) {
        const [from, to] = [Math.min(last, row), Math.max(last, row)];
        choose(view().layer, [...chosenIds(), ...rows!.list.slice(from, to + 1).map(({ id }) => id)]);
      } else toggleChosen(view().layer, item.id);
      last = row;
    },
    tickAll: () => choose(view().layer, chosenIds().length > 0 ? [] : (rows?.list.map(({ id }) => id) ?? [])),
    point: (item) => onMap.point(view().layer, item?.id ?? null),
    menu: (item, at) => openRowMenu(map, at, view().layer, item, () => void copyRows([item], columnsOf(view()))),
    head: (property, at) => openColumnMenu(at, property, view, boxOf(map), showAll),
    sort: ({ name }) => {
      const now = view().sort.find((sort) => sort.name === name);
      sortBy(name, now ? (now.down ? null : true) : false);
    },
    resize: (property, width) => {
      setWidth(view().layer, property.name, width);
      showRows();
    },
    need: (count) => rows?.ensure(count),
  });
  const groups = makeGroups({
    box: () => boxOf(map),
    narrow: (filter) => changeView({ where: view().where ? `(${view().where}) AND (${filter})` : filter, group: [] }),
    open: openItem,
    counted: (total) => bar.show(view(), countWords(total)),
  });
  const asks = {
    isFull: frame.isFull,
    toggleFull: () => {
      frame.toggleFull();
      tabs.show();
    },
    closeAll: () => tables.set({ ...tables.get(), views: [], active: 0 }),
    isChosenOnly: () => chosenOnly,
    toggleChosenOnly: () => {
      chosenOnly = !chosenOnly;
      update();
    },
    columns: (anchor: Element) => openColumns(anchor, view),
    export: (anchor: Element) => {
      const more = view().group.length > 0 ? [{ label: t("group.save"), run: groups.save }] : [];
      openExport(anchor, view(), selection(), columnsOf(view()), more);
    },
    zoom: () => void zoomToRows(),
    copy: () => {
      const ticked = chosenOf(view().layer);
      void copyRows(rows?.list.filter(({ id }) => ticked.has(id)) ?? [], columnsOf(view()));
    },
    bulk: () => openBulk(view().layer, { ids: chosenIds() }),
    trace: () => {
      const first = rows?.list.find(({ id }) => id === chosenIds()[0]);
      traceFrom(view().layer, chosenIds(), first?.properties);
    },
  };
  const tabs = makeTabs(asks);
  const bar = makeBar(asks);

  const zoomToRows = async (): Promise<void> => {
    frame.showMap();
    const ticked = chosenIds();
    const ids = ticked.length > 0 ? ticked : (rows?.list.map(({ id }) => id) ?? []);
    try {
      const items = await readShapes(view().layer, ids.slice(0, MOST_ZOOMED));
      const geometries = items.flatMap(({ geometry }) => geometry ?? []);
      const bounds = boundsOf({ type: "GeometryCollection", geometries });
      if (bounds[0] <= bounds[2]) zoomToBounds(map, bounds);
    } catch (error) {
      notify(explain(error));
    }
  };
  const describe = (columns: readonly Property[]): GridShows => {
    const { layer, sort, tests } = view();
    const ticked = chosenOf(layer);
    const { selection: now } = getState();
    return {
      label: t("table.of", { layer: layerTitle(layer) }),
      columns,
      widths: columns.map((property) => widthOf(layer, property)),
      pinned: true,
      sorted: new Map(sort.map(({ name, down }) => [name, down ? "descending" : "ascending"])),
      filtered: new Set(tests.map(({ name }) => name)),
      total: rows?.total ?? 0,
      rowAt: (row) => rows?.list[row],
      isTicked: (id) => ticked.has(id),
      ticked: ticked.size,
      chosenId: now?.layer === layer ? now.id : null,
      foot,
    };
  };
  const showRows = (): void => {
    const shown = activeView();
    if (!shown || shown.group.length > 0) return;
    const waits = rows?.isLoading ? ` · ${t("table.reading")}` : "";
    bar.show(shown, countWords(rows?.total ?? null) + waits);
    if (rows?.problem) {
      const retry = rows.retry;
      replace(holder, failure(rows.problem, retry));
      return;
    }
    if (rows?.total === 0) {
      replace(holder, empty(t(shown.inView ? "table.noneInView" : "table.none")));
      return;
    }
    if (holder.firstElementChild !== grid.element) replace(holder, grid.element);
    grid.show(describe(columnsOf(shown)));
  };
  /** Rows came: what is in sight is drawn, all of it only where the count is another. */
  const told = (of: Rows, before: { total: number | null }): void => {
    if (of !== rows) return;
    const { total } = of;
    if (total !== before.total || of.problem) {
      before.total = total;
      showRows();
      reveal();
    } else {
      const waits = of.isLoading ? ` · ${t("table.reading")}` : "";
      bar.show(view(), countWords(total) + waits);
      grid.refresh();
    }
  };
  const readFoot = async (signal: AbortSignal): Promise<void> => {
    const { layer } = view();
    const columns = columnsOf(view());
    const measures = measuresOf(layer, columns);
    if (measures.size === 0) return;
    try {
      const { total } = await readAggregate(layer, selection(), [], [...measures.values()], signal);
      if (signal.aborted) return;
      foot = new Map(
        [...measures].flatMap(([name, measure]): [string, string][] => {
          const property = columns.find((column) => column.name === name);
          const value = total[measure];
          if (!property || value === null || value === undefined) return [];
          const rounded = typeof value === "number" ? Number(value.toPrecision(4)) : value;
          const exact = measure.startsWith("sum") ? value : rounded;
          return [
            [name, `${SIGNS[totalOf(layer, property)]} ${formatProperty(exact, { ...property, type: "number" })}`],
          ];
        }),
      );
      showRows();
    } catch {
      // A foot that could not be computed is left out; the rows say what is wrong.
    }
  };
  const reveal = (): void => {
    const { selection: now } = getState();
    if (!now || !rows || now.layer !== activeView()?.layer) return;
    const at = rows.indexOf(now.id);
    if (at >= 0) grid.reveal(at);
    else if (rows.list.length < Math.min(SOUGHT, rows.total ?? 0)) rows.ensure(SOUGHT);
  };
  const load = (): void => {
    rows?.stop();
    request.abort();
    request = new AbortController();
    foot = new Map();
    last = -1;
    const query = fileQuery(
      view(),
      selection(),
      columnsOf(view()).map(({ name }) => name),
    );
    const before = { total: null };
    const next = readRows(view(), query, () => told(next, before));
    rows = next;
    next.ensure(1);
    showRows();
    void readFoot(request.signal);
  };
  const showAll = (): void => {
    request.abort();
    request = new AbortController();
    void readFoot(request.signal);
    showRows();
  };
  const update = (): void => {
    const shown = activeView();
    frame.show(shown !== undefined);
    if (!shown) {
      rows?.stop();
      rows = null;
      asked = "";
      onMap.clear();
      drawFound(map, "table", null);
      return;
    }
    if (!findVectorLayer(shown.layer)) {
      tabs.show();
      replace(holder, empty(t("table.noLayer", { layer: shown.layer })));
      return;
    }
    tabs.show();
    onMap.show(shown.layer);
    // The words that the rows hold are no filter: the map shows what the other conditions find.
    const filter =
      [filterOf(shown), only()]
        .filter(Boolean)
        .map((one) => `(${one})`)
        .join(" AND ") || "id IS NOT NULL";
    drawFound(map, "table", shown.marked ? { layer: shown.layer, filter, at: shown.at } : null);
    replace(bars, tabs.element, bar.element, filterChips(shown), shown.group.length > 0 ? groupFields(shown) : null);
    const key = JSON.stringify([{ ...shown, marked: false }, shown.inView ? boxOf(map) : "", only()]);
    bar.show(shown, countWords(rows?.total ?? null));
    if (key === asked) return;
    asked = key;
    if (shown.group.length > 0) {
      rows?.stop();
      rows = null;
      replace(holder, groups.element);
      groups.show(shown);
    } else load();
  };

  tables.watch(update);
  watch(["lang"], () => {
    asked = "";
    update();
  });
  watch(["selection"], () => {
    showRows();
    reveal();
  });
  onChosen(() => {
    if (!activeView()) return;
    if (chosenOnly) update();
    else showRows();
    onMap.show(view().layer);
  });
  map.on("moveend", () => {
    if (activeView()?.inView) update();
  });
  update();
}
