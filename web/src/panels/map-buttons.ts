/** The map's own buttons: zoom, the whole city, the third dimension, north, and the tools that are used on the map. */

import type { Map as MapView } from "maplibre-gl";
import { type Child, h, replace } from "../dom";
import { t } from "../i18n";
import { showCity } from "../map/view";
import { getState, setState, watch } from "../state";
import { followDrawing, MAP_TOOLS, openTool, toolIcon, toolLabel } from "../tools/launch";
import { makeWhere } from "../tools/where";
import { iconButton } from "./parts";

/** Build the map's own buttons. */
export function makeMapButtons(map: MapView): HTMLElement {
  const holder = h("div", { class: "map-buttons" });
  const update = (): void => {
    const { threeD } = getState();
    const turned = Math.abs(map.getBearing()) > 0.5;
    const cube = iconButton("cube", t(threeD ? "map.twoD" : "map.threeD"), () => setState({ threeD: !threeD }));
    cube.setAttribute("aria-pressed", String(threeD));
    const buttons: Child[] = [
      iconButton("plus", t("map.zoomIn"), () => map.zoomIn()),
      iconButton("minus", t("map.zoomOut"), () => map.zoomOut()),
      iconButton("home", t("map.home"), () => showCity(map)),
      cube,
      turned ? iconButton("target", t("map.north"), () => map.easeTo({ bearing: 0 })) : null,
      ...MAP_TOOLS.map((name) => iconButton(toolIcon(name), toolLabel(name), () => openTool(map, name), "not-phone")),
    ];
    replace(holder, ...buttons);
  };
  update();
  watch(["lang", "threeD"], update);
  map.on("rotateend", update);
  followDrawing(map);
  map.addControl(makeWhere(map), "bottom-left");
  return holder;
}
