/** The pictures of a flood that people ask for most, one button each, and the threshold of those that have one. */

import { runs } from "../data";
import { h, replace } from "../dom";
import { type Key, t } from "../i18n";
import { getState, setState } from "../state";
import type { Run } from "../types";

/** A picture, or pictures that differ by the depth from which water counts [cm]. */
interface Family {
  title: Key;
  layers: Readonly<Record<string, number | null>>;
}

const FAMILIES: readonly Family[] = [
  { title: "view.depth", layers: { flood_depth: null } },
  { title: "view.deepest", layers: { flood_depth_max: null } },
  { title: "view.arrival", layers: { flood_arrival: null } },
  { title: "view.duration", layers: { flood_duration_01: 10, flood_duration_03: 30, flood_duration_05: 50 } },
  {
    title: "view.probability",
    layers: { flood_probability_01: 10, flood_probability_03: 30, flood_probability_05: 50 },
  },
];
/** Water of 30 cm stops cars: the threshold that is shown first. */
const FIRST_CM = 30;

const offered = (run: Run, family: Family): string[] =>
  Object.keys(family.layers).filter((layer) => run.rasters.some((raster) => raster.layer === layer));

/** Return the newest run that knows probabilities. */
const findEnsemble = (): string | undefined =>
  [...(runs ?? [])]
    .filter(({ process }) => process === "flood-ensemble")
    .sort((a, b) => b.created.localeCompare(a.created))[0]?.id;

const firstOf = (layers: readonly string[], family: Family): string | undefined =>
  layers.find((layer) => family.layers[layer] === FIRST_CM) ?? layers[0];

/** Build the buttons; `update` brings them in step with the state. */
export function productViews(run: Run): { element: HTMLElement; update: () => void } {
  const buttons = h("div", { class: "segments", role: "group" });
  const thresholds = h("div");

  const viewButton = (family: Family): HTMLElement | null => {
    const layers = offered(run, family);
    const elsewhere = layers.length === 0 && family.title === "view.probability" ? findEnsemble() : undefined;
    if (layers.length === 0 && !elsewhere) return null;
    const chosen = getState().product in family.layers;
    const go = (): void => {
      const product = firstOf(layers, family) ?? `flood_probability_0${FIRST_CM / 10}`;
      setState(elsewhere ? { runId: elsewhere, time: null, product } : { product });
    };
    return h(
      "button",
      { type: "button", class: "segment", "aria-pressed": String(chosen), onclick: go },
      t(family.title),
    );
  };
  const thresholdRow = (): HTMLElement | null => {
    const { product } = getState();
    const family = FAMILIES.find(({ layers }) => product in layers);
    const layers = family ? offered(run, family) : [];
    if (!family || layers.length < 2) return null;
    const choice = (layer: string): HTMLElement => {
      const box = h("input", {
        type: "radio",
        name: "threshold",
        value: layer,
        onchange: () => setState({ product: layer }),
      });
      box.checked = layer === product;
      return h("label", { class: "option" }, box, h("span", {}, t("view.from", { depth: family.layers[layer] ?? 0 })));
    };
    return h(
      "fieldset",
      { class: "thresholds" },
      h("legend", { class: "field-label" }, t("view.threshold")),
      ...layers.map(choice),
    );
  };
  const update = (): void => {
    const focused = [...buttons.children].indexOf(document.activeElement as Element);
    const inside = thresholds.contains(document.activeElement);
    buttons.setAttribute("aria-label", t("flood.product"));
    replace(buttons, ...FAMILIES.map(viewButton));
    if (focused >= 0) (buttons.children[focused] as HTMLElement | undefined)?.focus();
    replace(thresholds, thresholdRow());
    if (inside) thresholds.querySelector<HTMLElement>(":checked")?.focus();
  };
  update();
  return { element: h("div", {}, buttons, thresholds), update };
}
