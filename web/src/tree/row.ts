/** A row of the tree: the layer's box, colour and name, its figures, and what unfolds below it. */

import type { Map as MapView } from "maplibre-gl";
import { getCatalog, isEmpty } from "../data";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { icon } from "../icons";
import { isOn } from "../map/order";
import { failure, loading, swatch, syntheticBadge } from "../panels/parts";
import type { Layer } from "../types";
import { choose } from "./choosing";
import { drawnColor } from "./colors";
import { makeMarks } from "./marks";

export interface Row {
  layer: Layer;
  element: HTMLElement;
  update: () => void;
}

/** Layers whose details are unfolded, in whichever list. */
const unfolded = new Set<string>();

const isSynthetic = (layer: Layer): boolean => layer.kind === "vector" && layer.synthetic && !isEmpty(layer);

/** Whether everything is made up: then the heading says it once, and not every row again. */
function isAllSynthetic(): boolean {
  const filled = getCatalog()
    .themes.flatMap((theme) => theme.layers)
    .filter((layer) => layer.kind === "vector" && !isEmpty(layer));
  return filled.every(isSynthetic);
}

/** Fill the details of a layer once their program has come. */
function loadDetails(map: MapView, layer: Layer, holder: HTMLElement): void {
  replace(holder, loading());
  import("./details").then(
    ({ layerDetails }) => replace(holder, layerDetails(map, layer)),
    (error: unknown) => {
      const retry = (): void => loadDetails(map, layer, holder);
      replace(holder, failure(error, retry));
    },
  );
}

/** Make the button that unfolds a layer's details into `holder`. */
export function makeUnfolder(map: MapView, layer: Layer, holder: HTMLElement): HTMLElement {
  const button = h(
    "button",
    {
      type: "button",
      class: "icon-button icon-button-quiet layer-expand",
      "aria-label": t("layers.details", { layer: say(layer.title) }),
      onclick: () => show(holder.hidden !== false),
    },
    icon("chevron", 14),
  );
  const show = (open: boolean): void => {
    if (open) unfolded.add(layer.id);
    else unfolded.delete(layer.id);
    button.setAttribute("aria-expanded", String(open));
    holder.hidden = !open;
    if (open) loadDetails(map, layer, holder);
    else replace(holder);
  };
  show(unfolded.has(layer.id));
  return button;
}

/** Return the colour that stands for a layer in lists. */
export function layerSwatch(map: MapView, layer: Layer): HTMLElement | null {
  const entry = layer.legend[layer.kind === "raster" ? Math.floor(layer.legend.length / 2) : 0];
  return entry ? swatch(drawnColor(map, layer, entry), entry.shape ?? "fill") : null;
}

/** Make the row. */
export function makeRow(map: MapView, layer: Layer): Row {
  const details = h("div", { class: "layer-details" });
  const box = h("input", {
    type: "checkbox",
    onchange: (event) => choose(layer, (event.target as HTMLInputElement).checked),
  });
  const marks = makeMarks(map, layer);
  const element = h(
    "li",
    { class: "layer", "data-layer": layer.id },
    h(
      "div",
      { class: "layer-row" },
      h(
        "label",
        { class: "layer-label" },
        box,
        layerSwatch(map, layer),
        h("span", { class: "layer-title" }, say(layer.title)),
      ),
      isSynthetic(layer) && !isAllSynthetic() ? syntheticBadge() : null,
      marks.element,
      makeUnfolder(map, layer, details),
    ),
    details,
  );
  const update = (): void => {
    const nothing = isEmpty(layer);
    element.classList.toggle("layer-empty", nothing);
    box.disabled = nothing;
    box.checked = isOn(layer) && !nothing;
    marks.update();
  };
  update();
  return { layer, element, update };
}
