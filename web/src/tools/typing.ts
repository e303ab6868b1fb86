/** A field that takes a typed place, and a button for the middle of the map: drawing without a pointer. */

import type { Map as MapView } from "maplibre-gl";
import { h } from "../dom";
import { explain, say, t } from "../i18n";
import { textButton } from "../panels/parts";
import { readCoordinates } from "./api";

/** Make field and button; `add` gets the place. */
export function makeTyping(map: MapView, add: (place: { lng: number; lat: number }) => void): HTMLElement {
  const note = h("p", { class: "soft typing-note", role: "status" });
  const field = h("input", {
    class: "input",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 120,
    placeholder: t("draw.typed"),
    "aria-label": t("draw.type"),
  });
  const take = async (): Promise<void> => {
    const text = field.value.trim();
    if (!text) return;
    try {
      const [reading] = await readCoordinates(text);
      field.setAttribute("aria-invalid", String(!reading));
      note.textContent = reading ? say(reading.how) : t("draw.notRead", { text });
      if (!reading) return;
      field.value = "";
      const [lng, lat] = reading.position;
      if (!map.getBounds().contains([lng, lat])) map.jumpTo({ center: [lng, lat] });
      add({ lng, lat });
    } catch (error) {
      note.textContent = explain(error);
    }
  };
  const form = h("form", { class: "typing-row" }, field, h("button", { class: "button button-small" }, t("draw.add")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void take();
  });
  return h(
    "details",
    { class: "more typing" },
    h("summary", {}, t("draw.without")),
    form,
    note,
    textButton(t("draw.addMiddle"), () => add(map.getCenter()), "button-small", "target"),
    h("p", { class: "soft" }, t("draw.middleHint")),
  );
}
