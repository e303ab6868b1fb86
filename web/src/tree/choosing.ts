/** Choosing layers: one, all of a theme, the usual ones, none; what was chosen at once can be taken back. */

import { chooseFirst, getCatalog, isEmpty, isPerRun } from "../data";
import { t } from "../i18n";
import { notify } from "../panels/notice";
import { getState, setState, toggleLayer } from "../state";
import type { Layer, Theme } from "../types";

/** Show or hide a layer; of those that a run makes one is drawn at a time. */
export function choose(layer: Layer, shown: boolean): void {
  if (isPerRun(layer)) setState({ product: shown ? layer.id : "none" });
  else toggleLayer(layer.id, shown);
}

/** The layers of a theme that can all be on at once. */
export const togetherOf = (theme: Theme): Layer[] =>
  theme.layers.filter((layer) => !isPerRun(layer) && !isEmpty(layer));

function chooseMany(layers: ReadonlySet<string>, product: string, words: string): void {
  const before = { layers: getState().layers, product: getState().product };
  setState({ layers, product });
  notify(words, { label: t("tree.undo"), run: () => setState(before) });
}

/** Show or hide all layers of a theme. */
export function chooseTheme(theme: Theme, shown: boolean): void {
  const layers = new Set(getState().layers);
  for (const { id } of togetherOf(theme)) {
    if (shown) layers.add(id);
    else layers.delete(id);
  }
  setState({ layers });
}

/** Show the layers that are shown at first. */
export function chooseUsual(): void {
  const tree = getCatalog()
    .themes.flatMap((theme) => theme.layers)
    .filter((layer) => !isPerRun(layer));
  chooseMany(new Set(chooseFirst(tree).map(({ id }) => id)), "flood_depth", t("tree.usualDone"));
}

/** Hide all layers. */
export const chooseNone = (): void => chooseMany(new Set(), "none", t("tree.noneDone"));
