/** The layers that a run wrote: each can be shown or hidden here, with what its colours mean, and saved. */

import { h } from "../dom";
import { say, t } from "../i18n";
import { legendList } from "../panels/layers";
import { section } from "../panels/parts";
import { getState, toggleLayer } from "../state";
import type { VectorLayer } from "../types";
import { downloads } from "./members";

function layerSwitch(run: string, layer: VectorLayer): HTMLElement {
  const box = h("input", { type: "checkbox", onchange: () => toggleLayer(layer.id, box.checked) });
  box.checked = getState().layers.has(layer.id);
  return h(
    "div",
    { class: "run-layer" },
    h("label", { class: "option" }, box, h("strong", {}, say(layer.title))),
    layer.legend.length > 0 ? legendList(layer) : null,
    h(
      "details",
      { class: "more" },
      h("summary", {}, t("network.download")),
      downloads(layer.id, { run_id: run }, `${layer.id}-${run}`),
    ),
  );
}

/** Build the list of the layers of a run. */
export const runLayers = (run: string, layers: readonly VectorLayer[]): HTMLElement =>
  section(t("results.layers"), ...layers.map((layer) => layerSwitch(run, layer)));
