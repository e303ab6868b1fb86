/** What steers the third dimension without dragging: how high it rises, turning, tilting. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { iconButton, select } from "../panels/parts";
import { getState, watch } from "../state";
import { RISES, rise } from "./scene";

const TURN = 30;
const TILT = 10;

/** Build the control; it shows itself while the city is seen in three dimensions. */
export function makeSceneControl(map: MapView): HTMLElement {
  const control = h("div", { class: "scene-control", role: "group" });
  const update = (): void => {
    control.hidden = !getState().threeD;
    control.setAttribute("aria-label", t("scene.title"));
    const choices = RISES.map((factor) => ({ value: String(factor), label: `× ${factor}` }));
    replace(
      control,
      h(
        "label",
        { class: "scene-rise", title: t("scene.riseHint") },
        h("span", {}, t("scene.rise")),
        select(t("scene.rise"), choices, String(rise.get()), (value) => rise.set(Number(value))),
      ),
      iconButton("turnLeft", t("scene.left"), () => map.easeTo({ bearing: map.getBearing() - TURN })),
      iconButton("turnRight", t("scene.right"), () => map.easeTo({ bearing: map.getBearing() + TURN })),
      iconButton("tiltMore", t("scene.lower"), () => map.easeTo({ pitch: map.getPitch() + TILT })),
      iconButton("tiltLess", t("scene.higher"), () => map.easeTo({ pitch: map.getPitch() - TILT })),
    );
  };
  update();
  watch(["threeD", "lang"], update);
  rise.watch(update);
  return control;
}
