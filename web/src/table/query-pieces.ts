/** What stands around the conditions of a query: what to do with the answer, how it is drawn, where to begin. */

import type { Map as MapView } from "maplibre-gl";
import { readItems } from "../api";
import { h, replace } from "../dom";
import { parseCityTime, parseMoment, writeCityTime } from "../format";
import { explain, t } from "../i18n";
import { boundsOf, zoomToBounds } from "../map/pick";
import { notify } from "../panels/notice";
import { select, textButton } from "../panels/parts";
import type { Item } from "../types";
import { openTable } from "./open";
import { changeQuery, type Draw, query } from "./query";
import { listExamples } from "./query-examples";
import { isTraceable, traceFrom } from "./trace-from";

const MOST_ZOOMED = 1000;
/** One more than a trace can begin from, so that it is told. */
const MOST_STARTS = 51;

/** Return the first items that the query finds; none where it cannot be asked, which is told. */
async function readFound(limit: number): Promise<Item[]> {
  const { layer, filter, at } = query.get();
  const asked = { ...(filter ? { filter } : {}), ...(at ? { datetime: at } : {}), limit: String(limit) };
  try {
    return (await readItems(layer, asked)).features;
  } catch (error) {
    notify(explain(error));
    return [];
  }
}

async function zoom(map: MapView): Promise<void> {
  const geometries = (await readFound(MOST_ZOOMED)).flatMap(({ geometry }) => geometry ?? []);
  const bounds = boundsOf({ type: "GeometryCollection", geometries });
  if (bounds[0] <= bounds[2]) zoomToBounds(map, bounds);
}

async function trace(): Promise<void> {
  const items = await readFound(MOST_STARTS);
  const ids = items.map(({ id }) => id);
  traceFrom(query.get().layer, ids, items[0]?.properties);
}

function showTable(): void {
  const { layer, filter, at } = query.get();
  openTable(layer, { ...(filter ? { filter } : {}), ...(at ? { at } : {}) });
}

/** Build the buttons for the answer. */
export function queryButtons(map: MapView, save: () => void): (HTMLElement | null)[] {
  return [
    textButton(t("query.table"), showTable, "button-primary", "table"),
    textButton(t("card.zoom"), () => void zoom(map), "", "target"),
    isTraceable(query.get().layer) ? textButton(t("query.trace"), () => void trace(), "", "network") : null,
    textButton(t("query.save"), save),
    textButton(t("query.clear"), () => changeQuery({ layer: "", filter: "", at: null, saved: null })),
  ];
}

/** Make the choice of how the answer is drawn, and of the moment that is asked about. */
export function makeOptions(): { element: HTMLElement; build: () => void; show: () => void } {
  const element = h("div", { class: "query-options" });
  let ways: HTMLSelectElement | null = null;
  let time: HTMLInputElement | null = null;
  const field = (label: string, box: HTMLElement): HTMLElement =>
    h("label", { class: "field" }, h("span", { class: "field-label" }, label), box);
  const show = (): void => {
    const { at, draw } = query.get();
    const moment = parseMoment(at);
    if (ways) ways.value = draw;
    if (time) time.value = moment ? writeCityTime(moment) : "";
  };
  const build = (): void => {
    const choices = (["mark", "alone", "none"] as const).map((value) => ({ value, label: t(`shown.${value}`) }));
    ways = select(t("query.draw"), choices, query.get().draw, (value) => changeQuery({ draw: value as Draw }));
    time = h("input", {
      type: "datetime-local",
      class: "input",
      "aria-label": t("table.at"),
      onchange: (event) => {
        const given = parseCityTime((event.target as HTMLInputElement).value);
        changeQuery({ at: given ? `${given.toISOString().slice(0, 19)}Z` : null });
      },
    });
    replace(element, field(t("query.draw"), ways), field(t("table.at"), time));
    show();
  };
  return { element, build, show };
}

/** Build the list of questions to begin with. */
export function exampleList(): HTMLElement {
  const line = ({ title, layer, filter }: ReturnType<typeof listExamples>[number]): HTMLElement =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: "query-open",
          "data-example": layer,
          onclick: () => changeQuery({ layer, filter, at: null, saved: null }),
        },
        title,
      ),
    );
  return h("ul", { class: "query-list" }, ...listExamples().map(line));
}
