/** Which picture of a run is on the map: its layers by what they tell, with description and legend. */

import { findRasterLayer } from "../data";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { isWordy } from "../raster-words";
import { getState, setState } from "../state";
import type { Run } from "../types";
import { legendList } from "./layers";
import { productViews } from "./product-views";

/** Return the heading a layer stands below. */
function groupOf(layer: string): string {
  if (/_duration_|_arrival/.test(layer)) return t("product.time");
  if (/_velocity_|_hazard_/.test(layer)) return t("product.danger");
  return /_probability_|_change/.test(layer) ? t("product.study") : t("product.water");
}

/** Build the choice with the words of the layer chosen; `update` brings it in step with the state. */
export function productChooser(run: Run): { element: HTMLElement; update: () => void } {
  const rank = (id: string): number => findRasterLayer(id)?.rank ?? 0;
  const layers = run.rasters.map((raster) => raster.layer).sort((a, b) => rank(a) - rank(b));
  const groups = new Map<string, string[]>();
  for (const layer of layers) groups.set(groupOf(layer), [...(groups.get(groupOf(layer)) ?? []), layer]);
  const option = (layer: string): HTMLElement =>
    h("option", { value: layer }, say(findRasterLayer(layer)?.title, layer));
  const box = h(
    "select",
    {
      class: "select",
      name: "flood-product",
      "aria-label": t("flood.product"),
      onchange: (event) => setState({ product: (event.target as HTMLSelectElement).value }),
    },
    ...[...groups].map(([label, members]) => h("optgroup", { label }, ...members.map(option))),
    h("option", { value: "none" }, t("flood.hidden")),
  );
  const words = h("div", { class: "product-words" });
  const views = productViews(run);
  const update = (): void => {
    views.update();
    box.value = getState().product;
    const layer = findRasterLayer(getState().product);
    replace(
      words,
      layer && !isWordy(layer) ? h("p", { class: "soft" }, say(layer.description)) : null,
      layer ? legendList(layer) : null,
    );
  };
  update();
  return { element: h("div", {}, views.element, box, words), update };
}
