/** The layer tree: search, themes, what is shown, legend and source of each layer. */

import { findLayer, getCatalog, isEmpty, isPerRun, onData } from "../data";
import { fold, h, replace } from "../dom";
import { formatNumber } from "../format";
import { say, t } from "../i18n";
import { icon, themeIcon } from "../icons";
import { formatRasterValue, isWordy, usefulEntries } from "../raster-words";
import { getState, setState, toggleLayer, watch } from "../state";
import type { Layer, LegendEntry, Source, Theme } from "../types";
import { makeFinder, type ShowHit } from "./find";
import { swatch, syntheticBadge } from "./parts";

/** Whether a theme is unfolded: at first those with a layer usually on the map, then what the person chose. */
const unfolded = new Map<string, boolean>();
const openLayers = new Set<string>();
let search = "";

function isOn(layer: Layer): boolean {
  const state = getState();
  return isPerRun(layer) ? state.product === layer.id : state.layers.has(layer.id);
}

function toggle(layer: Layer, shown: boolean): void {
  if (isPerRun(layer)) setState({ product: shown ? layer.id : "none" });
  else toggleLayer(layer.id, shown);
}

function matches(layer: Layer, theme: Theme): boolean {
  if (!search) return true;
  const words = [
    layer.title.vi,
    layer.title.en,
    layer.description.vi,
    layer.description.en,
    theme.title.vi,
    theme.title.en,
  ];
  return fold(`${words.join(" ")} ${layer.id}`).includes(fold(search));
}

/** Build the legend of a layer; the flood panel uses it too. */
export function legendList(layer: Layer): HTMLElement {
  const words = (item: LegendEntry): string =>
    layer.kind === "raster" ? formatRasterValue(layer, Number(item.value)) : say(item.label);
  const entry = (item: LegendEntry): HTMLElement =>
    h("li", {}, swatch(item.color, item.shape ?? "fill"), h("span", {}, words(item)));
  const entries = layer.kind === "raster" ? usefulEntries(layer) : layer.legend;
  const wordy = layer.kind === "raster" && isWordy(layer);
  return h(
    "ul",
    { class: wordy ? "legend legend-wordy" : "legend", "aria-label": t("layers.legend") },
    ...entries.map(entry),
  );
}

function sourceLine(source: Source): HTMLElement {
  return h(
    "li",
    {},
    h("span", { class: "source-title" }, say(source.title), source.synthetic ? syntheticBadge() : null),
    h("span", { class: "soft" }, `${t("layers.licence")}: ${source.licence}`),
    source.attribution ? h("span", { class: "soft" }, source.attribution) : null,
  );
}

function layerDetails(layer: Layer): HTMLElement {
  const sources = layer.kind === "vector" ? layer.sources : [];
  return h(
    "div",
    { class: "layer-details" },
    h("p", { class: "soft" }, say(layer.description)),
    layer.kind === "vector" && layer.min_zoom > 11
      ? h("p", { class: "soft" }, t("layers.minZoom", { zoom: layer.min_zoom }))
      : null,
    isPerRun(layer) ? h("p", { class: "soft" }, t("layers.perRun")) : null,
    layer.legend.length > 0 ? legendList(layer) : null,
    sources.length > 0
      ? h("ul", { class: "sources", "aria-label": t("layers.source") }, ...sources.map(sourceLine))
      : null,
  );
}

function isSynthetic(layer: Layer): boolean {
  return layer.kind === "vector" && layer.synthetic && !isEmpty(layer);
}

/** Whether everything is made up: then the heading says it once, and not every row again. */
function isAllSynthetic(): boolean {
  const filled = getCatalog()
    .themes.flatMap((theme) => theme.layers)
    .filter((layer) => layer.kind === "vector" && !isEmpty(layer));
  return filled.every(isSynthetic);
}

function layerRow(layer: Layer, update: () => void): HTMLElement {
  const open = openLayers.has(layer.id);
  const color = layer.legend[layer.kind === "raster" ? Math.floor(layer.legend.length / 2) : 0];
  const checkbox = h("input", {
    type: "checkbox",
    disabled: isEmpty(layer),
    onchange: (event) => toggle(layer, (event.target as HTMLInputElement).checked),
  });
  checkbox.checked = isOn(layer) && !isEmpty(layer);
  const expand = h(
    "button",
    {
      type: "button",
      class: "icon-button icon-button-quiet layer-expand",
      "aria-expanded": String(open),
      "aria-label": t("layers.details", { layer: say(layer.title) }),
      onclick: () => {
        if (open) openLayers.delete(layer.id);
        else openLayers.add(layer.id);
        update();
      },
    },
    icon("chevron", 14),
  );
  const number = layer.kind === "vector" ? formatNumber(layer.count, 0) : "";
  const count = isEmpty(layer) ? t("layers.empty") : number;
  return h(
    "li",
    { class: `layer ${isEmpty(layer) ? "layer-empty" : ""}`, "data-layer": layer.id },
    h(
      "div",
      { class: "layer-row" },
      h(
        "label",
        { class: "layer-label" },
        checkbox,
        color ? swatch(color.color, color.shape ?? "fill") : null,
        h("span", { class: "layer-title" }, say(layer.title)),
      ),
      isSynthetic(layer) && !isAllSynthetic() ? syntheticBadge() : null,
      h("span", { class: "layer-count", title: layer.kind === "vector" ? t("layers.count", { count }) : "" }, count),
      expand,
    ),
    open ? layerDetails(layer) : null,
  );
}

function themeBlock(theme: Theme, update: () => void): HTMLElement | null {
  const found = theme.layers.filter((layer) => matches(layer, theme));
  if (found.length === 0) return null;
  const shown = theme.layers.filter((layer) => isOn(layer) && !isEmpty(layer)).length;
  const usual = theme.layers.some((layer) => (layer.visible || isOn(layer)) && !isEmpty(layer));
  const chosen = unfolded.get(theme.id) ?? usual;
  unfolded.set(theme.id, chosen);
  const open = search !== "" || chosen;
  const header = h(
    "button",
    {
      type: "button",
      class: "theme-header",
      "aria-expanded": String(open),
      onclick: () => {
        unfolded.set(theme.id, !chosen);
        update();
      },
    },
    icon("chevron", 14),
    icon(themeIcon(theme.id), 17),
    h("span", { class: "theme-title" }, say(theme.title)),
    h("span", { class: "theme-count" }, t("layers.shown", { shown, total: theme.layers.length })),
  );
  return h(
    "section",
    { class: "theme", "data-theme": theme.id },
    h("h3", {}, header),
    h("ul", { class: "layer-list", hidden: !open }, ...found.map((layer) => layerRow(layer, update))),
  );
}

/** Build the panel; it keeps itself in step with the state. */
export function layersPanel(show: ShowHit): HTMLElement {
  const finder = makeFinder(show);
  const list = h("div", { class: "layer-tree" });
  const field = h("input", {
    type: "search",
    class: "search-field",
    id: "layer-search",
    autocomplete: "off",
    oninput: (event) => {
      search = (event.target as HTMLInputElement).value.trim();
      finder.ask(search);
      update();
    },
    onkeydown: (event) => {
      if ((event as KeyboardEvent).key === "Enter") finder.first();
    },
  });
  const update = (): void => {
    const focused = document.activeElement?.closest("[data-layer], [data-theme]");
    const key = focused?.getAttribute("data-layer") ?? null;
    const control = document.activeElement?.tagName === "INPUT" ? "input" : "button.layer-expand";
    field.placeholder = t("layers.search");
    field.setAttribute("aria-label", t("layers.search"));
    const themes = getCatalog().themes.map((theme) => themeBlock(theme, update));
    replace(list, ...themes);
    // The tree is built anew; the keyboard's place in it is not lost.
    if (key && findLayer(key)) list.querySelector<HTMLElement>(`[data-layer="${key}"] ${control}`)?.focus();
    else if (focused)
      list.querySelector<HTMLElement>(`[data-theme="${focused.getAttribute("data-theme")}"] .theme-header`)?.focus();
  };
  update();
  watch(["layers", "lang", "product"], update);
  onData("runs", update);
  return h(
    "div",
    { class: "panel-body" },
    h("div", { class: "search" }, icon("search", 16), field),
    finder.element,
    list,
  );
}
