/** One control for each kind of input, each able to read and check what was entered. */

import { readItems, toIso } from "../api";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatNumber, parseCityTime, writeCityTime } from "../format";
import { explain, say, t } from "../i18n";
import type { InputSchema, Item } from "../types";

export type Reading = { value: unknown } | { problem: string };

export interface Control {
  /** What is put on the page. */
  element: HTMLElement;
  /** What carries the id, so that the label finds it. */
  target: HTMLElement;
  read: () => Reading;
  /** Enter a value in place of what stands there; undefined empties it. */
  write: (value: unknown) => void;
}

const ITEM_LIMIT = 500;
const PLAIN_TYPES: readonly string[] = ["string", "number", "integer"];

/** Inputs that hold ids of things on the map, for servers that do not say so with `x-items`. */
const ITEMS_BY_NAME: Record<string, string> = {
  gates_closed: "drainage_links?link_type=gate",
  gates_open: "drainage_links?link_type=gate",
  pumps_off: "drainage_links?link_type=pump",
  "gate_operations.id": "drainage_links?link_type=gate",
  "pump_operations.id": "drainage_links?link_type=pump",
  gauge: "sensors?kind=stage",
  "breaches.dyke_id": "dykes",
};

export const lowest = (schema: InputSchema): number | undefined => schema.minimum ?? schema.exclusiveMinimum;
export const highest = (schema: InputSchema): number | undefined => schema.maximum ?? schema.exclusiveMaximum;
export const isMoment = (schema: InputSchema): boolean => schema.format === "date-time";
export const isList = (schema: InputSchema): boolean =>
  schema.type === "array" && PLAIN_TYPES.includes(schema.items?.type ?? "string");

/** Whether a value has parts in it that no field can hold: an object, or a list of lists. */
export const isNested = (schema: InputSchema): boolean =>
  schema.type === "object" ||
  (schema.type === "array" && !isList(schema)) ||
  (schema.anyOf ?? []).some((choice) => isNested(choice));

/** Return the collection and filter whose items an input chooses from, where the city has any. */
export function findItems(name: string, schema: InputSchema): string | undefined {
  const items = schema["x-items"] ?? ITEMS_BY_NAME[name];
  const layer = findVectorLayer(items?.split("?")[0] ?? "");
  return layer && layer.count > 0 ? items : undefined;
}

/** Read a number as people type it, within its limits. */
export function checkNumber(text: string, schema: InputSchema): Reading {
  const value = Number(text.trim().replace(",", "."));
  if (!Number.isFinite(value)) return { problem: t("scenario.notNumber") };
  if (schema.type === "integer" && !Number.isInteger(value)) return { problem: t("scenario.notInteger") };
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  const refuse = (key: Parameters<typeof t>[0], limit: number): Reading => ({
    problem: t(key, { minimum: formatNumber(limit, 3), maximum: formatNumber(limit, 3) }),
  });
  if (minimum !== undefined && value < minimum) return refuse("scenario.tooSmall", minimum);
  if (above !== undefined && value <= above) return refuse("scenario.notAbove", above);
  if (maximum !== undefined && value > maximum) return refuse("scenario.tooLarge", maximum);
  if (below !== undefined && value >= below) return refuse("scenario.notBelow", below);
  return { value };
}

function checkList(text: string, schema: InputSchema): Reading {
  const parts = text
    .split(/[,;\n]/)
    .map((entry) => entry.trim())
    .filter(Boolean);
  const { items } = schema;
  if (items?.type !== "number" && items?.type !== "integer") return { value: parts };
  const readings = parts.map((entry) => checkNumber(entry, items));
  const wrong = readings.find((reading) => "problem" in reading);
  return wrong ?? { value: readings.map((reading) => ("value" in reading ? reading.value : null)) };
}

function checkText(text: string, schema: InputSchema): Reading {
  if (schema.type === "number" || schema.type === "integer") return checkNumber(text, schema);
  if (isList(schema)) return checkList(text, schema);
  if (isMoment(schema)) {
    const moment = parseCityTime(text);
    return moment ? { value: toIso(moment) } : { problem: t("scenario.required") };
  }
  return { value: text };
}

/** Read a text: nothing entered means "not given", which a required input does not allow. */
function readText(text: string, schema: InputSchema, required: boolean): Reading {
  if (text !== "") return checkText(text, schema);
  return required ? { problem: t("scenario.required") } : { value: undefined };
}

function momentText(value: unknown): string {
  const moment = new Date(typeof value === "string" ? value : "");
  return Number.isNaN(moment.getTime()) ? "" : writeCityTime(moment);
}

function textControl(schema: InputSchema, required: boolean): Control {
  const isNumber = schema.type === "number" || schema.type === "integer";
  const type = isMoment(schema) ? "datetime-local" : isNumber ? "number" : "text";
  const box = h("input", { type, class: "input", autocomplete: "off" });
  if (isNumber) {
    box.step = schema.type === "integer" ? "1" : "any";
    box.min = String(lowest(schema) ?? "");
    box.max = String(highest(schema) ?? "");
  }
  const write = (value: unknown): void => {
    const text = Array.isArray(value) ? value.join(", ") : String(value ?? "");
    box.value = isMoment(schema) ? momentText(value) : text;
  };
  write(schema.default);
  const read = (): Reading =>
    box.validity.badInput ? { problem: t("scenario.notNumber") } : readText(box.value.trim(), schema, required);
  return { element: box, target: box, read, write };
}

/** Return a value as an example of how a schema's JSON is written. */
function makeExample(schema: InputSchema): unknown {
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.type === "array") return schema.items ? [makeExample(schema.items)] : [];
  if (schema.type === "object")
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, inner]) => [key, makeExample(inner)]));
  if (schema.type === "number" || schema.type === "integer") return lowest(schema) ?? 0;
  return schema.type === "boolean" ? false : "…";
}

/** A field of several lines: JSON, or plain words where the schema allows a text as well. */
function nestedControl(schema: InputSchema, required: boolean): Control {
  const choices = schema.anyOf ?? [schema];
  const allowsText = choices.some((choice) => choice.type === "string");
  const box = h("textarea", { class: "input", rows: allowsText ? 2 : 4, autocomplete: "off", spellcheck: false });
  if (!allowsText) box.placeholder = JSON.stringify(makeExample(choices.find(isNested) ?? schema));
  const write = (value: unknown): void => {
    box.value =
      value === undefined || value === null || typeof value === "string" ? (value ?? "") : JSON.stringify(value);
  };
  write(schema.default);
  const read = (): Reading => {
    const text = box.value.trim();
    if (text === "") return readText(text, schema, required);
    if (allowsText && !/^[[{]/.test(text)) return { value: text };
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      return { problem: t("scenario.notJson") };
    }
  };
  return { element: box, target: box, read, write };
}

function checkControl(schema: InputSchema): Control {
  const box = h("input", { type: "checkbox" });
  const write = (value: unknown): void => {
    box.checked = value === true;
  };
  write(schema.default);
  return { element: box, target: box, read: () => ({ value: box.checked }), write };
}

interface Option {
  value: string | number;
  label: string;
}

function selectControl(options: Option[], schema: InputSchema, required: boolean): Control {
  const box = h("select", { class: "select" });
  const fill = (shown: Option[]): void => {
    const unset = required || schema.default !== undefined ? null : h("option", { value: "" }, t("scenario.unset"));
    replace(box, unset, ...shown.map(({ value, label }) => h("option", { value }, label)));
  };
  const write = (value: unknown): void => {
    box.value = String(value ?? (required ? (options[0]?.value ?? "") : ""));
  };
  fill(options);
  write(schema.default);
  const read = (): Reading => {
    if (box.value === "") return readText("", schema, required);
    return { value: schema.enum?.find((value) => String(value) === box.value) ?? box.value };
  };
  return { element: box, target: box, read, write };
}

/** Boxes to tick, one an option. */
function checklistControl(options: Option[], schema: InputSchema): Control {
  const rows = options.map(({ value, label }) => {
    const box = h("input", { type: "checkbox", value });
    return { value, box, row: h("label", { class: "option" }, box, h("span", {}, label)) };
  });
  const list = h("div", { class: "checklist", role: "group", tabindex: -1 }, ...rows.map(({ row }) => row));
  const read = (): Reading => ({ value: rows.filter(({ box }) => box.checked).map(({ value }) => value) });
  const write = (value: unknown): void => {
    const chosen = new Set([value ?? []].flat().map(String));
    for (const row of rows) row.box.checked = chosen.has(String(row.value));
  };
  write(schema.default);
  return { element: list, target: list, read, write };
}

const itemOption = ({ id, properties }: Item): Option => ({
  value: id,
  label: properties["name"] ? `${String(properties["name"])} (${id})` : id,
});

/** What ties a control to its label and its words, and goes over to the control that takes its place. */
const TIES = ["id", "name", "aria-labelledby", "aria-describedby"];

/** A choice among items of the city; a plain field stands in until they have come, and stays if they do not. */
function itemControl(items: string, schema: InputSchema, required: boolean): Control {
  const holder = h("div");
  let inner = textControl(schema, required);
  let wanted: unknown = schema.default;
  const show = (control: Control): void => {
    for (const name of TIES) {
      const value = inner.target.getAttribute(name);
      if (value !== null) control.target.setAttribute(name, value);
    }
    control.write(wanted);
    inner = control;
    replace(holder, control.element);
  };
  const write = (value: unknown): void => {
    wanted = value;
    inner.write(value);
  };
  replace(holder, inner.element);
  const [collection = "", query = ""] = items.split("?");
  readItems(collection, { ...Object.fromEntries(new URLSearchParams(query)), limit: String(ITEM_LIMIT) }).then(
    (page) => {
      if (page.features.length === 0 || page.features.length >= ITEM_LIMIT) return;
      const options = page.features.map(itemOption).sort((a, b) => a.label.localeCompare(b.label, "vi"));
      show(schema.type === "array" ? checklistControl(options, schema) : selectControl(options, schema, required));
    },
    (error: unknown) => holder.append(h("span", { class: "soft" }, explain(error))),
  );
  return {
    element: holder,
    get target() {
      return inner.target;
    },
    read: () => inner.read(),
    write,
  };
}

function enumOptions(schema: InputSchema): Option[] {
  return (schema.enum ?? []).map((value) => ({
    value,
    label: say(schema["x-enum-titles"]?.[String(value)], String(value).replaceAll("_", " ")),
  }));
}

/** Build the control that fits a schema. */
export function makeControl(name: string, schema: InputSchema, required: boolean): Control {
  if (schema.type === "boolean") return checkControl(schema);
  if (schema.enum) return selectControl(enumOptions(schema), schema, required);
  if (schema.type === "array" && schema.items?.enum) return checklistControl(enumOptions(schema.items), schema);
  if (isNested(schema)) return nestedControl(schema, required);
  const items = findItems(name, schema);
  return items ? itemControl(items, schema, required) : textControl(schema, required);
}
