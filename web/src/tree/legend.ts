/** The legend of a layer: the colours that are drawn, of which some can be hidden. */

import type { Map as MapView } from "maplibre-gl";
import { isEmpty } from "../data";
import { h } from "../dom";
import { say, t } from "../i18n";
import { hiddenClasses, setHiddenClasses } from "../map/tile-query";
import { swatch } from "../panels/parts";
import { formatRasterValue, isWordy, usefulEntries } from "../raster-words";
import type { Layer, LegendEntry, VectorLayer } from "../types";
import { drawnColor } from "./colors";

/** Build the legend of a layer as it is; with the map in the colours that are drawn now. */
export function legendList(layer: Layer, map?: MapView): HTMLElement {
  const words = (item: LegendEntry): string =>
    layer.kind === "raster" ? formatRasterValue(layer, Number(item.value)) : say(item.label);
  const entry = (item: LegendEntry): HTMLElement =>
    h(
      "li",
      {},
      swatch(map ? drawnColor(map, layer, item) : item.color, item.shape ?? "fill"),
      h("span", {}, words(item)),
    );
  const entries = layer.kind === "raster" ? usefulEntries(layer) : layer.legend;
  const wordy = layer.kind === "raster" && isWordy(layer);
  return h(
    "ul",
    { class: wordy ? "legend legend-wordy" : "legend", "aria-label": t("layers.legend") },
    ...entries.map(entry),
  );
}

/** Legends on the screen, by layer: they follow when classes are shown again elsewhere. */
const shown = new Map<string, () => void>();

hiddenClasses.watch(() => {
  for (const show of shown.values()) show();
});

/** Build a legend each class of which can be taken off the map. */
function choosableLegend(map: MapView, layer: VectorLayer): HTMLElement {
  const boxes = new Map<string, HTMLInputElement>();
  const entry = (item: LegendEntry): HTMLElement => {
    const value = String(item.value);
    const box = h("input", {
      type: "checkbox",
      onchange: () => {
        const others = (hiddenClasses.get()[layer.id] ?? []).filter((one) => one !== value);
        setHiddenClasses(map, layer.id, box.checked ? others : [...others, value]);
      },
    });
    boxes.set(value, box);
    const label = h(
      "label",
      { class: "legend-choice" },
      box,
      swatch(drawnColor(map, layer, item), item.shape ?? "fill"),
      say(item.label),
    );
    return h("li", {}, label);
  };
  const entries = layer.legend.map(entry);
  const show = (): void => {
    const hidden = hiddenClasses.get()[layer.id] ?? [];
    for (const [value, box] of boxes) box.checked = !hidden.includes(value);
  };
  show();
  shown.set(layer.id, show);
  return h("ul", { class: "legend", "aria-label": t("layers.legend") }, ...entries);
}

/** Build the legend with what the person can choose of it. */
export function layerLegend(map: MapView, layer: Layer): HTMLElement | null {
  if (layer.legend.length === 0) return null;
  const choosable = layer.kind === "vector" && layer.by !== null && layer.legend.length > 1 && !isEmpty(layer);
  return choosable ? choosableLegend(map, layer) : legendList(layer, map);
}
