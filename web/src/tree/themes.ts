/** All layers by theme: what unfolds, what a search leaves, how many are shown. */

import type { Map as MapView } from "maplibre-gl";
import { getCatalog, isEmpty } from "../data";
import { fold, h, replace } from "../dom";
import { say, t } from "../i18n";
import { icon, themeIcon } from "../icons";
import { isOn } from "../map/order";
import { empty } from "../panels/parts";
import type { Layer, Theme } from "../types";
import { chooseTheme, togetherOf } from "./choosing";
import { makeRow } from "./row";

/** Whether a theme is unfolded: at first those with a layer usually on the map, then what the person chose. */
const unfolded = new Map<string, boolean>();

function wordsOf(layer: Layer, theme: Theme): string {
  const { title, description } = layer;
  const words = [title.vi, title.en, description.vi, description.en, theme.title.vi, theme.title.en, layer.id];
  return fold(words.join(" "));
}

interface Block {
  element: HTMLElement;
  update: () => void;
  /** Leave only what has the words in sight; says whether anything is left. */
  search: (words: string) => boolean;
}

function makeAllBox(theme: Theme): HTMLInputElement {
  const label = t("tree.allOf", { theme: say(theme.title) });
  return h("input", {
    type: "checkbox",
    class: "theme-all",
    "aria-label": label,
    title: label,
    onchange: (event) => chooseTheme(theme, (event.target as HTMLInputElement).checked),
  });
}

function makeBlock(map: MapView, theme: Theme): Block {
  const rows = theme.layers.map((layer) => ({ ...makeRow(map, layer), words: wordsOf(layer, theme) }));
  const list = h("ul", { class: "layer-list" }, ...rows.map(({ element }) => element));
  const count = h("span", { class: "theme-count" });
  const all = makeAllBox(theme);
  let searched = false;
  const usual = theme.layers.some((layer) => (layer.visible || isOn(layer)) && !isEmpty(layer));
  if (!unfolded.has(theme.id)) unfolded.set(theme.id, usual);

  const showList = (): void => {
    const open = searched || unfolded.get(theme.id) === true;
    header.setAttribute("aria-expanded", String(open));
    list.hidden = !open;
  };
  const header = h(
    "button",
    {
      type: "button",
      class: "theme-header",
      onclick: () => {
        unfolded.set(theme.id, !unfolded.get(theme.id));
        showList();
      },
    },
    icon("chevron", 14),
    icon(themeIcon(theme.id), 17),
    h("span", { class: "theme-title" }, say(theme.title)),
    count,
  );
  const element = h(
    "section",
    { class: "theme", "data-theme": theme.id },
    h("div", { class: "theme-row" }, h("h3", {}, header), all),
    list,
  );
  const update = (): void => {
    for (const row of rows) row.update();
    const shown = theme.layers.filter((layer) => isOn(layer) && !isEmpty(layer)).length;
    count.textContent = t("layers.shown", { shown, total: theme.layers.length });
    const together = togetherOf(theme);
    const on = together.filter(isOn).length;
    all.disabled = together.length === 0;
    all.checked = on > 0 && on === together.length;
    all.indeterminate = on > 0 && on < together.length;
  };
  const search = (words: string): boolean => {
    searched = words !== "";
    for (const row of rows) row.element.hidden = !row.words.includes(words);
    element.hidden = rows.every((row) => row.element.hidden);
    showList();
    return !element.hidden;
  };
  update();
  showList();
  return { element, update, search };
}

/** Make the tree. */
export function makeThemes(map: MapView): { element: HTMLElement; update: () => void; search: (text: string) => void } {
  const blocks = getCatalog().themes.map((theme) => makeBlock(map, theme));
  const none = h("div", { hidden: true });
  const element = h("div", { class: "layer-tree" }, ...blocks.map((block) => block.element), none);
  const update = (): void => {
    for (const block of blocks) block.update();
  };
  const search = (text: string): void => {
    const words = fold(text);
    const left = blocks.map((block) => block.search(words)).some(Boolean);
    none.hidden = left;
    replace(none, empty(t("tree.noLayer", { text })));
  };
  return { element, update, search };
}
