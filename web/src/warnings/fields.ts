/** Fields of the desk of warnings: a label, a control, what is wrong with it. */

import { toIso } from "../api";
import { type Child, h } from "../dom";
import { parseCityTime, writeCityTime } from "../format";

export interface Field {
  element: HTMLElement;
  /** Say what is wrong; empty words take it away. */
  refuse: (words: string) => void;
}

let counter = 0;

/** Put a label over a control; what is wrong is said under it and tied to it. */
export function makeField(label: string, control: HTMLElement, hint: Child = null): Field {
  const id = control.id || `warning-${++counter}`;
  control.id = id;
  control.setAttribute("aria-describedby", `${id}-error`);
  const error = h("span", { class: "field-error", id: `${id}-error`, role: "alert" });
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id, class: "field-label" }, label),
    control,
    hint ? h("span", { class: "soft" }, hint) : null,
    error,
  );
  const refuse = (words: string): void => {
    error.textContent = words;
    control.setAttribute("aria-invalid", String(words !== ""));
  };
  return { element, refuse };
}

/** Put a heading over several controls. */
export function makeGroup(label: string, ...children: Child[]): Field & { body: HTMLElement } {
  const error = h("span", { class: "field-error", role: "alert" });
  const body = h("div", { class: "options" }, ...children);
  const element = h(
    "fieldset",
    { class: "field rows-field" },
    h("legend", { class: "field-label" }, label),
    body,
    error,
  );
  return {
    element,
    body,
    refuse: (words) => {
      error.textContent = words;
    },
  };
}

/** A number that may stay empty; Vietnamese writes a comma, the browser's own field takes both. */
export function numberBox(
  value: number | null,
  step: string,
  oninput: (value: number | null) => void,
): HTMLInputElement {
  const box = h("input", { type: "number", class: "input", step, value: value ?? "", autocomplete: "off" });
  box.addEventListener("input", () => oninput(box.value === "" ? null : Number(box.value)));
  return box;
}

/** A moment in city time that may stay empty. */
export function momentBox(value: string | null, oninput: (value: string | null) => void): HTMLInputElement {
  const box = h("input", { type: "datetime-local", class: "input" });
  setMoment(box, value);
  box.addEventListener("input", () => {
    const moment = parseCityTime(box.value);
    oninput(moment ? toIso(moment) : null);
  });
  return box;
}

export function setMoment(box: HTMLInputElement, value: string | null): void {
  box.value = value ? writeCityTime(new Date(value)) : "";
}

export interface RadioChoice<T> {
  value: T;
  label: Child;
  refused?: string | null;
}

/** Choices of which one holds, as radio buttons in a row of cards. */
export function radioRow<T extends string | number>(
  name: string,
  choices: RadioChoice<T>[],
  chosen: T,
  onchange: (value: T) => void,
): HTMLElement[] {
  return choices.map(({ value, label, refused }) => {
    const box = h("input", { type: "radio", name, value, disabled: Boolean(refused) });
    box.checked = value === chosen;
    box.addEventListener("change", () => onchange(value));
    return h(
      "label",
      { class: "option pick" },
      box,
      h("span", {}, label, refused ? h("span", { class: "soft pick-refused" }, refused) : null),
    );
  });
}
