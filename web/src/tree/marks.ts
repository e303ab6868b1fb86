/** What a row of the tree says of its layer besides the name: how many items, and whether they are filtered. */

import type { Map as MapView } from "maplibre-gl";
import { isEmpty } from "../data";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { say, t } from "../i18n";
import { filterOf, filters, hiddenClasses, setHiddenClasses, setLayerFilter } from "../map/tile-query";
import { iconButton } from "../panels/parts";
import type { Layer, VectorLayer } from "../types";
import { countItems } from "./counts";

/** Take filter and hidden classes off a layer. */
export function clearFilter(map: MapView, layer: string): void {
  if (hiddenClasses.get()[layer]) setHiddenClasses(map, layer, []);
  if (filters.get()[layer]) setLayerFilter(map, layer, null);
}

function filteredMark(map: MapView, layer: VectorLayer, filter: string): HTMLElement {
  const count = h("span", { class: "layer-count" }, "…");
  countItems(layer.id, filter).then(
    (found) => {
      count.textContent = `${formatNumber(found, 0)}/${formatNumber(layer.count, 0)}`;
      count.title = t("tree.matching", { count: formatNumber(found, 0), total: formatNumber(layer.count, 0) });
    },
    () => {
      count.textContent = "?";
      count.title = t("tree.badFilter");
    },
  );
  const clear = iconButton(
    "filter",
    t("tree.clearFilter", { layer: say(layer.title) }),
    () => clearFilter(map, layer.id),
    "icon-button-quiet layer-filtered",
  );
  clear.title = `${filter}\n${clear.title}`;
  return h("span", { class: "layer-marks" }, count, clear);
}

/** Make the holder of a row's figures; `update` brings it in step with the filter. */
export function makeMarks(map: MapView, layer: Layer): { element: HTMLElement; update: () => void } {
  const element = h("span", { class: "layer-marks" });
  let shown: string | null | undefined;
  let counted = -1;
  const update = (): void => {
    const filter = layer.kind === "vector" ? filterOf(layer) : null;
    const now = layer.kind === "vector" ? layer.count : 0;
    if (filter === shown && counted === now && !isEmpty(layer)) return;
    shown = filter;
    counted = now;
    if (layer.kind === "vector" && filter && !isEmpty(layer)) {
      replace(element, filteredMark(map, layer, filter));
      return;
    }
    const number = layer.kind === "vector" ? formatNumber(layer.count, 0) : "";
    const count = isEmpty(layer) ? t("layers.empty") : number;
    const title = layer.kind === "vector" ? t("layers.count", { count }) : "";
    replace(element, h("span", { class: "layer-count", title }, count));
  };
  return { element, update };
}
