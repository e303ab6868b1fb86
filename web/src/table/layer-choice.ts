/** Choosing a layer of features, theme by theme. */

import { getCatalog } from "../data";
import { h } from "../dom";
import { say, t } from "../i18n";
import type { VectorLayer } from "../types";

/** Return the layers of features that hold something, by theme. */
function filledLayers(fits: (layer: VectorLayer) => boolean): { title: string; layers: VectorLayer[] }[] {
  return getCatalog()
    .themes.map((theme) => ({
      title: say(theme.title),
      layers: theme.layers.filter(
        (layer): layer is VectorLayer => layer.kind === "vector" && layer.count > 0 && fits(layer),
      ),
    }))
    .filter(({ layers }) => layers.length > 0);
}

/** Build the chooser; without a chosen layer it says to choose one. */
export function layerChoice(
  label: string,
  chosen: string,
  choose: (layer: string) => void,
  fits: (layer: VectorLayer) => boolean = () => true,
): HTMLSelectElement {
  const box = h(
    "select",
    { "aria-label": label, class: "select", onchange: (event) => choose((event.target as HTMLSelectElement).value) },
    chosen ? null : h("option", { value: "" }, t("query.chooseLayer")),
    ...filledLayers(fits).map(({ title, layers }) =>
      h("optgroup", { label: title }, ...layers.map((layer) => h("option", { value: layer.id }, say(layer.title)))),
    ),
  );
  box.value = chosen;
  return box;
}
