/** A field of a form for one property: its control, what may stand in it, what is wrong with it. */

import { h } from "../dom";
import { formatUnit } from "../format";
import { say, t } from "../i18n";
import type { Reading } from "../panels/form-fields";
import type { PropertySchema } from "./api";
import { isNumber, limitWords, readText, titleOf } from "./values";

export interface PropertyField {
  name: string;
  element: HTMLElement;
  text: () => string;
  set: (text: string) => void;
  /** Read and mark the field. */
  read: () => Reading;
  /** Say something of the field that the server found; empty words take it away. */
  say: (words: string, severity: "error" | "warning") => void;
  focus: () => void;
}

type Box = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

let counter = 0;

/** Whether two fields of this kind fit beside each other. */
const isShort = (property: PropertySchema): boolean =>
  property.enum !== undefined || property.type !== "string" || property.format === "date";

function choiceBox(choices: [string, string][], required: boolean): HTMLSelectElement {
  const unset = h("option", { value: "" }, required ? t("work.choose") : t("work.noValue"));
  return h("select", { class: "select" }, unset, ...choices.map(([value, label]) => h("option", { value }, label)));
}

function makeBox(name: string, property: PropertySchema, required: boolean): Box {
  const codes = property["x-codes"];
  if (property.enum)
    return choiceBox(
      property.enum.map((value) => [value, say(codes?.[value], value)]),
      required,
    );
  if (property.type === "boolean")
    return choiceBox(
      [
        ["true", t("card.yes")],
        ["false", t("card.no")],
      ],
      required,
    );
  if (name === "note" || name === "description") return h("textarea", { class: "input", rows: 2 });
  const type = property.format === "date" ? "date" : property.format === "date-time" ? "datetime-local" : "text";
  const mode = isNumber(property) ? "decimal" : null;
  return h("input", { type, class: "input", autocomplete: "off", inputmode: mode });
}

/** Build the field of a property; `changed` hears the text while it is typed. */
export function makePropertyField(
  name: string,
  property: PropertySchema,
  required: boolean,
  text: string,
  changed: (text: string) => void,
): PropertyField {
  const id = `property-${++counter}`;
  const box = makeBox(name, property, required);
  box.id = id;
  box.name = name;
  box.value = text;
  box.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  if (required) box.setAttribute("aria-required", "true");
  const symbol = formatUnit(property["x-ogc-unit"]);
  const label = `${titleOf(property, name)}${symbol ? ` [${symbol}]` : ""}${required ? " *" : ""}`;
  const error = h("span", { class: "field-error", id: `${id}-error`, "aria-live": "polite" });
  const element = h(
    "div",
    { class: isShort(property) ? "field field-short" : "field" },
    h("label", { for: id, class: "field-label" }, label),
    box,
    h("span", { class: "visually-hidden", id: `${id}-hint` }, isNumber(property) ? limitWords(property) : ""),
    error,
  );
  const mark = (words: string, severity: "error" | "warning"): void => {
    error.textContent = words;
    error.classList.toggle("field-warning", severity === "warning");
    box.setAttribute("aria-invalid", String(words !== "" && severity === "error"));
  };
  const read = (): Reading => {
    const reading = readText(property, box.value, required);
    mark("problem" in reading ? reading.problem : "", "error");
    return reading;
  };
  box.addEventListener("input", () => {
    read();
    changed(box.value);
  });
  return {
    name,
    element,
    text: () => box.value,
    set: (next) => {
      box.value = next;
    },
    read,
    say: mark,
    focus: () => box.focus(),
  };
}
