/** What is on the roads now: works and closures with their dates. */

import type { Map as MapView } from "maplibre-gl";
import { readItems } from "../api";
import { findVectorLayer } from "../data";
import { type Child, h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { t } from "../i18n";
import { empty, failure, loading, section } from "../panels/parts";
import { codeTitle, longTable } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState, toggleLayer, watch } from "../state";
import type { Item, ZoomToItem } from "../types";
import { absent } from "./run-form";

const WORKS = "road_works";
const MOST = "200";

const dateOf = (...values: unknown[]): string => {
  const found = values.find((value) => typeof value === "string");
  return found ? formatShortDateTime(String(found)) : "–";
};

function worksTable(items: Item[], zoomToItem: ZoomToItem): HTMLElement {
  const row = (item: Item): Child[] => {
    const { name, road_name, event_type, vehicle_impact, planned_start, planned_end, actual_start, actual_end } =
      item.properties;
    const go = (): void => zoomToItem(WORKS, item.id, item.geometry);
    return [
      h("button", { type: "button", class: "link-button", onclick: go }, String(name ?? road_name ?? item.id)),
      `${codeTitle(WORKS, "event_type", event_type)} · ${codeTitle(WORKS, "vehicle_impact", vehicle_impact)}`,
      dateOf(actual_start, planned_start),
      dateOf(actual_end, planned_end),
    ];
  };
  return longTable([t("now.work"), t("now.what"), t("now.from"), t("now.until")], items.map(row));
}

/** Build the part. */
export function nowPart(_: MapView, zoomToItem: ZoomToItem): Part {
  const works = h("div", { "aria-live": "polite" });
  const isOpen = (): boolean => getState().tab === "traffic" && getState().traffic === "now";

  const load = async (): Promise<void> => {
    if (!findVectorLayer(WORKS)) {
      replace(works, absent());
      return;
    }
    if (!getState().layers.has(WORKS)) toggleLayer(WORKS, true);
    replace(works, loading());
    try {
      const filter = "event_status IS NULL OR event_status IN ('planned', 'pending', 'active')";
      const { features } = await readItems(WORKS, { filter, limit: MOST });
      const start = ({ properties }: Item): string =>
        String(properties["actual_start"] ?? properties["planned_start"] ?? "");
      features.sort((a, b) => start(b).localeCompare(start(a)));
      const list = features.length > 0 ? worksTable(features, zoomToItem) : empty(t("now.noWorks"));
      replace(works, section(t("now.works"), list));
    } catch (error) {
      replace(
        works,
        failure(error, () => void load()),
      );
    }
  };
  watch(["lang"], () => {
    if (isOpen()) void load();
  });
  return { element: h("div", { class: "form" }, works), show: () => void load() };
}
