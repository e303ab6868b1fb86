/** The panel of layers: search, all layers by theme or those that are on in their order, usual choices. */

import type { Map as MapView } from "maplibre-gl";
import "../styles/tree.css";
import { onData } from "../data";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { addWords, t } from "../i18n";
import { treeEn } from "../i18n/tree-en";
import { treeVi } from "../i18n/tree-vi";
import { icon } from "../icons";
import { applyOrder, order } from "../map/order";
import { filters, hiddenClasses } from "../map/tile-query";
import { watch } from "../state";
import { chooseNone, chooseUsual } from "../tree/choosing";
import { layersOn, makeShown } from "../tree/shown";
import { makeThemes } from "../tree/themes";
import { textButton } from "./parts";

export { legendList } from "../tree/legend";

addWords({ vi: treeVi, en: treeEn });

type Way = "themes" | "shown";
const WAYS: readonly Way[] = ["themes", "shown"];

/** Build the panel; it keeps itself in step with the state. */
export function layersPanel(map: MapView): HTMLElement {
  let way: Way = "themes";
  let search = "";
  let themes = makeThemes(map);
  let shown = makeShown(map);
  const ways = h("div", { class: "segments", role: "tablist" });
  const usual = h("div", { class: "row tree-usual" });
  const list = h("div", { id: "layer-list", role: "tabpanel" });
  const field = h("input", {
    type: "search",
    class: "search-field",
    id: "layer-search",
    autocomplete: "off",
    oninput: () => {
      search = field.value.trim();
      // What is looked for may be off: the tree has all.
      if (search && way !== "themes") choose("themes");
      themes.search(search);
    },
  });

  const wayButton = (one: Way): HTMLElement => {
    const words = one === "themes" ? t("tree.byTheme") : t("tree.on", { count: formatNumber(layersOn(map).length, 0) });
    return h(
      "button",
      {
        type: "button",
        role: "tab",
        class: "segment",
        "data-way": one,
        "aria-selected": String(one === way),
        "aria-controls": "layer-list",
        onclick: () => choose(one),
      },
      words,
    );
  };
  const showWays = (): void => {
    const had = ways.contains(document.activeElement);
    ways.setAttribute("aria-label", t("tree.ways"));
    replace(ways, ...WAYS.map(wayButton));
    if (had) ways.querySelector<HTMLElement>(`[data-way="${way}"]`)?.focus();
  };
  const choose = (one: Way): void => {
    way = one;
    showWays();
    if (way === "shown") shown.update();
    replace(list, way === "themes" ? themes.element : shown.element);
  };
  const update = (): void => {
    showWays();
    themes.update();
    if (way === "shown") shown.update();
  };
  const build = (): void => {
    field.placeholder = t("layers.search");
    field.setAttribute("aria-label", t("layers.search"));
    replace(
      usual,
      textButton(t("tree.usual"), chooseUsual, "button-small"),
      textButton(t("tree.none"), chooseNone, "button-small"),
    );
    themes = makeThemes(map);
    themes.search(search);
    shown = makeShown(map);
    choose(way);
  };
  build();
  watch(["lang"], build);
  // By night the layers have other colours.
  map.on("style.load", build);
  watch(["layers", "product"], update);
  onData("runs", update);
  onData("items", update);
  order.watch(() => {
    applyOrder(map);
    if (way === "shown") shown.update();
  });
  const mark = (): void => {
    themes.update();
    shown.mark();
  };
  filters.watch(mark);
  hiddenClasses.watch(mark);
  return h("div", { class: "panel-body" }, h("div", { class: "search" }, icon("search", 16), field), ways, usual, list);
}
