/** A form made from a process description: one field an input, checked before it is sent. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { formatNumber, formatUnit } from "../format";
import { say, t } from "../i18n";
import { aim, stopAiming } from "../map/aim";
import type { InputSchema, Process, ProcessInput } from "../types";
import { type Control, findItems, highest, isList, isMoment, lowest, makeControl, type Reading } from "./form-fields";
import { groupFields, SHORT_FORM } from "./form-groups";
import { textButton } from "./parts";

interface Field {
  name: string;
  element: HTMLElement;
  /** Return the value, or null after the field was marked as wrong. */
  read: () => { value: unknown } | null;
  /** Enter a value; undefined is what a new form holds. */
  write: (value: unknown) => void;
  focus: () => void;
}

export interface Form {
  element: HTMLFormElement;
  /** Return the inputs, or null after the wrong fields were marked. */
  read: () => Record<string, unknown> | null;
  /** Enter inputs; all others are as in a new form. */
  fill: (inputs: Readonly<Record<string, unknown>>) => void;
}

let counter = 0;

function rangeWords(schema: InputSchema): string {
  const [low, high] = [lowest(schema), highest(schema)];
  const values = { minimum: formatNumber(low, 3), maximum: formatNumber(high, 3) };
  if (low !== undefined && high !== undefined) return t("scenario.range", values);
  if (low !== undefined) return t("scenario.from", values);
  return high === undefined ? "" : t("scenario.to", values);
}

function hintWords(path: string, input: ProcessInput): string {
  const { schema } = input;
  const typed = isList(schema) && !schema.items?.enum && !findItems(path, schema);
  const description = say(input.description_i18n, input.description ?? "").replace(/\.$/, "");
  const isNumber = schema.type === "number" || schema.type === "integer";
  return [
    description,
    isNumber ? rangeWords(schema) : "",
    typed ? t("scenario.listHint") : "",
    isMoment(schema) ? t("scenario.localTime") : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

const isRequired = (input: ProcessInput): boolean => (input.minOccurs ?? 1) > 0 && input.schema.default === undefined;

function simpleField(name: string, input: ProcessInput, path: string): Field {
  const { schema } = input;
  const required = isRequired(input);
  const control: Control = makeControl(path, schema, required);
  const id = `input-${++counter}`;
  control.target.id = id;
  control.target.setAttribute("name", name);
  control.target.setAttribute("aria-labelledby", `${id}-label`);
  control.target.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  const symbol = formatUnit(schema["x-unit"]);
  const unit = symbol ? ` [${symbol}]` : "";
  const label = h(
    "label",
    { for: id, id: `${id}-label`, class: "field-label" },
    say(input.title_i18n, input.title),
    unit,
    required ? " *" : "",
  );
  const hint = h("span", { class: "soft field-hint", id: `${id}-hint` }, hintWords(path, input));
  const error = h("span", { class: "field-error", role: "alert", id: `${id}-error` });
  const isCheck = schema.type === "boolean";
  const isNumber = (schema.type === "number" || schema.type === "integer") && !schema.enum;
  const parts = isCheck ? [control.element, label] : [label, control.element];
  const shape = isCheck ? "field field-check" : isNumber ? "field field-number" : "field";
  const element = h("div", { class: shape }, ...parts, hint, error);
  const read = (): { value: unknown } | null => {
    const reading: Reading = control.read();
    const problem = "problem" in reading ? reading.problem : "";
    error.textContent = problem;
    control.target.setAttribute("aria-invalid", String(problem !== ""));
    return "value" in reading ? reading : null;
  };
  const write = (value: unknown): void => {
    control.write(value ?? schema.default);
    error.textContent = "";
    control.target.removeAttribute("aria-invalid");
  };
  return { name, element, read, write, focus: () => control.target.focus() };
}

function readFields(fields: readonly Field[]): Record<string, unknown> | null {
  const values: Record<string, unknown> = {};
  let firstWrong: Field | null = null;
  for (const field of fields) {
    const reading = field.read();
    if (!reading) firstWrong ??= field;
    else if (reading.value !== undefined) values[field.name] = reading.value;
  }
  firstWrong?.focus();
  return firstWrong ? null : values;
}

/** A list of objects: rows of fields that can be added and taken away. */
function rowsField(
  name: string,
  input: ProcessInput,
  properties: Record<string, InputSchema>,
  map: MapView | undefined,
): Field {
  const needed = new Set(input.schema.items?.required ?? []);
  const rows: Field[][] = [];
  const holder = h("div", { class: "rows" });
  const add = (values: Readonly<Record<string, unknown>>): void => {
    const fields = Object.entries(properties).map(([property, schema]) => {
      const { title = property, title_i18n, description, description_i18n } = schema;
      const words = {
        title,
        ...(title_i18n ? { title_i18n } : {}),
        ...(description ? { description } : {}),
        ...(description_i18n ? { description_i18n } : {}),
      };
      const inner = { ...words, schema, minOccurs: needed.has(property) ? 1 : 0 };
      return makeField(property, inner, `${name}.${property}`);
    });
    rows.push(fields);
    for (const field of fields) field.write(values[field.name]);
    const remove = textButton(
      t("scenario.removeRow"),
      () => {
        rows.splice(rows.indexOf(fields), 1);
        row.remove();
      },
      "button-small",
    );
    const pick = map && "lon" in properties && "lat" in properties ? placeButton(map, fields) : null;
    const row = h("div", { class: "rows-row" }, pick, ...fields.map((field) => field.element), remove);
    holder.append(row);
  };
  const addNew = (): void => {
    add({});
    rows.at(-1)?.[0]?.focus();
  };
  const legend = h("legend", { class: "field-label" }, say(input.title_i18n, input.title));
  const hint = h("span", { class: "soft field-hint" }, say(input.description_i18n, input.description ?? ""));
  const button = textButton(t("scenario.addRow"), addNew, "button-small", "plus");
  const element = h("fieldset", { class: "field rows-field" }, legend, hint, holder, button);
  const read = (): { value: unknown } | null => {
    const values = rows.map(readFields);
    return values.some((value) => value === null) ? null : { value: values };
  };
  const write = (value: unknown): void => {
    rows.length = 0;
    replace(holder);
    for (const entry of Array.isArray(value) ? value : []) add(entry as Record<string, unknown>);
  };
  return { name, element, read, write, focus: () => undefined };
}

/** A button that takes longitude and latitude from a click on the map. */
function placeButton(map: MapView, fields: readonly Field[]): HTMLElement {
  const find = (name: string): Field | undefined => fields.find((field) => field.name === name);
  const pick = (): void => {
    if (button.getAttribute("aria-pressed") === "true") {
      stopAiming(map);
      return;
    }
    aim(
      map,
      ({ lngLat }) => {
        find("lon")?.write(Number(lngLat.lng.toFixed(6)));
        find("lat")?.write(Number(lngLat.lat.toFixed(6)));
      },
      () => button.setAttribute("aria-pressed", "false"),
    );
    button.setAttribute("aria-pressed", "true");
  };
  const button = textButton(t("scenario.pick"), pick, "button-small pick-place", "target");
  button.setAttribute("aria-pressed", "false");
  return button;
}

/** `path` names an input within the row of another; with `map` places can be pointed at. */
function makeField(name: string, input: ProcessInput, path = name, map?: MapView): Field {
  const properties = input.schema.type === "array" ? input.schema.items?.properties : undefined;
  return properties ? rowsField(name, input, properties, map) : simpleField(name, input, path);
}

/** Whether an input is one that most people leave alone: nothing is entered, and nothing need be. */
const isExtra = (input: ProcessInput): boolean => !isRequired(input) && input.schema.default === undefined;

const folded = (title: string, open: boolean, fields: readonly Field[]): HTMLDetailsElement =>
  h(
    "details",
    { class: "more", open },
    h("summary", {}, title),
    h("div", { class: "form" }, ...fields.map((field) => field.element)),
  );

/** Return a short form as it is, with what may stay empty folded away; a long one by groups. */
function arrange(inputs: readonly [string, ProcessInput][], fields: readonly Field[]): HTMLElement[] {
  if (fields.length > SHORT_FORM)
    return groupFields(fields).map((group) => folded(group.title, group.open, group.fields));
  const extra = new Set(inputs.filter(([, input]) => isExtra(input)).map(([name]) => name));
  const rest = fields.filter((field) => extra.has(field.name));
  const main = fields.filter((field) => !extra.has(field.name)).map((field) => field.element);
  return rest.length > 0 ? [...main, folded(t("scenario.more"), false, rest)] : main;
}

/** Build the form of a process; `map` is where its places are pointed at. */
export function makeForm(process: Process, onsubmit: () => void, buttons: Node[], map?: MapView): Form {
  const inputs = Object.entries(process.inputs);
  const fields = inputs.map(([name, input]) => makeField(name, input, name, map));
  const element = h("form", {
    class: "form",
    novalidate: true,
    onsubmit: (event) => {
      event.preventDefault();
      onsubmit();
    },
  });
  replace(element, ...arrange(inputs, fields), ...buttons);
  const read = (): Record<string, unknown> | null => {
    const values = readFields(fields);
    for (const part of element.querySelectorAll("details"))
      if (part.querySelector("[aria-invalid=true]")) part.open = true;
    return values;
  };
  const fill = (values: Readonly<Record<string, unknown>>): void => {
    for (const field of fields) field.write(values[field.name]);
    // What was entered is seen, wherever it is folded away.
    for (const part of element.querySelectorAll("details"))
      if (fields.some((field) => values[field.name] !== undefined && part.contains(field.element))) part.open = true;
  };
  return { element, read, fill };
}
