/** A field that takes what people type for a place; what is not found is said under it. */

import type { Map as MapView } from "maplibre-gl";
import { h } from "../dom";
import { explain, t } from "../i18n";
import { stopAiming } from "../map/aim";

export interface TypedPlace {
  box: HTMLInputElement;
  note: HTMLElement;
}

/** Make the field; `read` turns words into what `add` takes, undefined where there is no such place. */
export function makeTypedPlace(
  map: MapView,
  read: (text: string) => Promise<string | undefined>,
  add: (word: string) => void,
  name?: string,
): TypedPlace {
  const note = h("span", { class: "field-error", role: "status" });
  const take = async (): Promise<void> => {
    const text = box.value.trim();
    if (!text) return;
    try {
      const word = await read(text);
      note.textContent = word ? "" : t("network.notFound", { text });
      box.setAttribute("aria-invalid", String(!word));
      if (!word) return;
      box.value = "";
      stopAiming(map);
      add(word);
    } catch (error) {
      note.textContent = explain(error);
    }
  };
  const box = h("input", { class: "input", autocomplete: "off", spellcheck: false, maxlength: 200 });
  if (name) box.name = name;
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    void take();
  });
  return { box, note };
}
