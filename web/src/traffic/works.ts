/** Road works and closures that are planned or in force, with their dates. */

import { readItems } from "../api";
import { type Child, h } from "../dom";
import { formatShortDateTime } from "../format";
import { t } from "../i18n";
import { empty, section } from "../panels/parts";
import { codeTitle, longTable } from "../panels/table";
import { getState, toggleLayer } from "../state";
import type { Item, ZoomToItem } from "../types";

export const WORKS = "road_works";
const MOST = "200";
const OPEN = "event_status IS NULL OR event_status IN ('planned', 'pending', 'active')";

const dateOf = (...values: unknown[]): string => {
  const found = values.find((value) => typeof value === "string");
  return found ? formatShortDateTime(String(found)) : "–";
};

const startOf = ({ properties }: Item): string =>
  String(properties["actual_start"] ?? properties["planned_start"] ?? "");

function workRow(item: Item, zoomToItem: ZoomToItem): Child[] {
  const { name, road_name, event_type, vehicle_impact, planned_start, planned_end, actual_start, actual_end } =
    item.properties;
  const go = (): void => zoomToItem(WORKS, item.id, item.geometry);
  const what = [codeTitle(WORKS, "event_type", event_type), codeTitle(WORKS, "vehicle_impact", vehicle_impact)];
  return [
    h(
      "div",
      { class: "two-lines" },
      h("button", { type: "button", class: "link-button", onclick: go }, String(name ?? road_name ?? item.id)),
      h("span", { class: "soft" }, what.join(" · ")),
    ),
    dateOf(actual_start, planned_start),
    dateOf(actual_end, planned_end),
  ];
}

/** Read the works, draw them, and build their list. */
export async function worksPart(zoomToItem: ZoomToItem): Promise<HTMLElement> {
  if (!getState().layers.has(WORKS)) toggleLayer(WORKS, true);
  const { features } = await readItems(WORKS, { filter: OPEN, limit: MOST });
  const rows = features.sort((a, b) => startOf(b).localeCompare(startOf(a))).map((item) => workRow(item, zoomToItem));
  const list =
    rows.length > 0 ? longTable([t("now.work"), t("now.from"), t("now.until")], rows) : empty(t("now.noWorks"));
  return section(t("now.works"), list);
}
