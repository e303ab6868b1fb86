/** A choice among the layers that people may edit, by theme. */

import { getCatalog } from "../data";
import { h } from "../dom";
import { say } from "../i18n";
import type { VectorLayer } from "../types";

/** What runs write, nobody else does. */
const isEditable = (layer: VectorLayer): boolean => !layer.properties.some(({ name }) => name === "run_id");

/** Build the choice; `all` is the words for no layer in particular, null where one must be chosen. */
export function chooseLayer(
  label: string,
  value: string,
  all: string | null,
  changed: (layer: string) => void,
): HTMLSelectElement {
  const groups = getCatalog().themes.flatMap((theme) => {
    const layers = theme.layers.flatMap((layer) => (layer.kind === "vector" && isEditable(layer) ? [layer] : []));
    return layers.length > 0
      ? [
          h(
            "optgroup",
            { label: say(theme.title) },
            ...layers.map((layer) => h("option", { value: layer.id }, say(layer.title))),
          ),
        ]
      : [];
  });
  const box = h(
    "select",
    { class: "select", "aria-label": label, onchange: () => changed(box.value) },
    all === null ? null : h("option", { value: "" }, all),
    ...groups,
  );
  box.value = value;
  return box;
}
