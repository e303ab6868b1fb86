/** The slider of a layer's opacity. */

import type { Map as MapView } from "maplibre-gl";
import { isPerRun } from "../data";
import { h } from "../dom";
import { say, t } from "../i18n";
import { opacities, setLayerOpacity } from "../map/opacity";
import { getState, setState } from "../state";
import type { Layer } from "../types";

const STEP = 5;

/** Build the field; the picture of a run has one opacity, whichever layer of it is drawn. */
export function opacityField(map: MapView, layer: Layer): HTMLElement {
  const ofRun = isPerRun(layer);
  const share = ofRun ? getState().opacity : (opacities.get()[layer.id] ?? 1);
  const write = (percent: number): string => `${percent} %`;
  const output = h("output", { class: "opacity-value" }, write(Math.round(share * 100)));
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 100,
    step: STEP,
    "data-control": "opacity",
    "aria-label": t("tree.opacityOf", { layer: say(layer.title) }),
    oninput: () => {
      const percent = Number(slider.value);
      output.textContent = write(percent);
      if (ofRun) setState({ opacity: percent / 100 });
      else setLayerOpacity(map, layer.id, percent / 100);
    },
  });
  slider.value = String(Math.round(share * 100));
  return h("label", { class: "opacity-field" }, h("span", { class: "soft" }, t("tree.opacity")), slider, output);
}
