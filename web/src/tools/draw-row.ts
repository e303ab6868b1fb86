/** One row of the list of what is drawn: its name, and the form that changes name, colour and corners. */

import { h } from "../dom";
import { t } from "../i18n";
import { iconButton, swatch, textButton } from "../panels/parts";
import { COLORS, LONGEST_NAME, type Shape } from "./drawing";
import { makePlacesField } from "./places-field";

export interface RowActs {
  toggle: () => void;
  zoom: () => void;
  remove: () => void;
  rename: (name: string) => void;
  recolor: (color: number) => void;
  replace: (places: Shape["places"]) => void;
  reshape: () => void;
}

function colorField(chosen: number, choose: (color: number) => void): HTMLElement {
  const radio = (color: number): HTMLElement => {
    const input = h("input", {
      type: "radio",
      name: "drawn-color",
      value: color,
      class: "sr-only",
      onchange: () => choose(color),
    });
    input.checked = color === chosen;
    const words = t(`draw.color_${color}` as "draw.color_0");
    const sample = swatch(COLORS[color] ?? "", "circle");
    return h("label", { class: "color", title: words }, input, sample, h("span", { class: "sr-only" }, words));
  };
  const legend = h("legend", { class: "field-label" }, t("draw.color"));
  return h("fieldset", { class: "colors" }, legend, ...COLORS.map((_, color) => radio(color)));
}

function nameField(value: string, label: string, take: (name: string) => void): HTMLElement {
  const field = h("input", { class: "input", value, maxlength: LONGEST_NAME, autocomplete: "off" });
  field.addEventListener("change", () => take(field.value.trim()));
  return h("label", { class: "field" }, h("span", { class: "field-label" }, label), field);
}

/** Build the row; `open` shows its form. */
export function drawnRow(shape: Shape, open: boolean, acts: RowActs): HTMLElement {
  const kind = t(`draw.${shape.kind}`);
  const words = h("span", {}, shape.name || kind);
  const edit = iconButton("pencil", t("draw.edit", { name: shape.name }), acts.toggle, "icon-button-quiet");
  edit.setAttribute("aria-expanded", String(open));
  const rename = (name: string): void => {
    words.textContent = name || kind;
    acts.rename(name);
  };
  const form = (): HTMLElement =>
    h(
      "div",
      { class: "drawn-form" },
      nameField(shape.name, t(shape.kind === "Note" ? "draw.text" : "draw.name"), rename),
      colorField(shape.color, acts.recolor),
      makePlacesField(shape, acts.replace),
      textButton(t("draw.reshape"), acts.reshape, "button-small", "target"),
      textButton(t("draw.close"), acts.toggle, "button-small button-primary"),
    );
  return h(
    "li",
    { class: "drawn" },
    h(
      "div",
      { class: "drawn-row" },
      swatch(COLORS[shape.color] ?? "", "circle"),
      h(
        "button",
        { type: "button", class: "drawn-name", onclick: acts.zoom },
        words,
        h("span", { class: "soft" }, kind),
      ),
      edit,
      iconButton("trash", t("draw.remove", { name: shape.name }), acts.remove, "icon-button-quiet"),
    ),
    open ? form() : null,
  );
}
