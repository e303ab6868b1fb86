/** A form made from a process description: one field an input, checked before it is sent. */

import { readItems, toIso } from "../api";
import { h, replace } from "../dom";
import { formatNumber, parseCityTime, writeCityTime } from "../format";
import { explain, say, t } from "../i18n";
import type { InputSchema, ItemPage, Process, ProcessInput } from "../types";

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface Field {
  name: string;
  input: ProcessInput;
  control: Control;
  error: HTMLElement;
  element: HTMLElement;
}

export interface Form {
  element: HTMLFormElement;
  /** Return the inputs, or null after the wrong fields were marked. */
  read: () => Record<string, unknown> | null;
}

const lowest = (schema: InputSchema): number | undefined => schema.minimum ?? schema.exclusiveMinimum;
const highest = (schema: InputSchema): number | undefined => schema.maximum ?? schema.exclusiveMaximum;

function rangeWords(schema: InputSchema): string {
  const [low, high] = [lowest(schema), highest(schema)];
  const values = { minimum: formatNumber(low, 3), maximum: formatNumber(high, 3) };
  if (low !== undefined && high !== undefined) return t("scenario.range", values);
  if (low !== undefined) return t("scenario.from", values);
  return high === undefined ? "" : t("scenario.to", values);
}

const isMoment = (schema: InputSchema): boolean => schema.format === "date-time";
const isPlain = (schema: InputSchema): boolean =>
  schema.type === "array" && ["string", "number", "integer"].includes(schema.items?.type ?? "string");

function enumTitle(schema: InputSchema, value: string | number): string {
  return say(schema["x-enum-titles"]?.[String(value)], String(value).replaceAll("_", " "));
}

function enumControl(
  schema: InputSchema,
  values: (string | number)[],
  required: boolean,
  multiple: boolean,
): HTMLSelectElement {
  const chosen = multiple ? ((schema.default as unknown[] | undefined) ?? []) : [schema.default];
  const options = values.map((value) =>
    h("option", { value, selected: chosen.includes(value) }, enumTitle(schema, value)),
  );
  const unset =
    !required && !multiple && schema.default === undefined ? h("option", { value: "" }, t("scenario.unset")) : null;
  return h(
    "select",
    { class: "select", multiple, size: multiple ? Math.min(values.length, 5) : null },
    unset,
    ...options,
  );
}

function textControl(schema: InputSchema): Control {
  const value = schema.default;
  if (isMoment(schema)) {
    const moment = typeof value === "string" ? new Date(value) : null;
    const shown = moment && !Number.isNaN(moment.getTime()) ? writeCityTime(moment) : "";
    return h("input", { type: "datetime-local", class: "input", value: shown });
  }
  if (schema.type === "number" || schema.type === "integer") {
    const step = schema.type === "integer" ? 1 : "any";
    return h("input", {
      type: "number",
      class: "input",
      step,
      min: lowest(schema),
      max: highest(schema),
      value: value as number | undefined,
    });
  }
  if (schema.type === "array" && !isPlain(schema)) {
    return h(
      "textarea",
      { class: "input", rows: 3, spellcheck: "false" },
      value === undefined ? "" : JSON.stringify(value),
    );
  }
  const text = Array.isArray(value) ? value.join(", ") : value;
  return h("input", { type: "text", class: "input", value: text === undefined || text === null ? "" : String(text) });
}

/** A choice among the items of a collection; it fills itself when they have come. */
function itemControl(items: string, schema: InputSchema): HTMLSelectElement {
  const multiple = schema.type === "array";
  const box = h("select", { class: "select", multiple, size: multiple ? 4 : null });
  const [collection = "", query = ""] = items.split("?");
  const chosen = new Set([schema.default ?? []].flat().map(String));
  const fill = (page: ItemPage): void => {
    const options = page.features.map(({ id, properties }) =>
      h("option", { value: id, selected: chosen.has(id) }, properties["name"] ? `${properties["name"]} (${id})` : id),
    );
    replace(box, multiple ? null : h("option", { value: "" }, t("scenario.unset")), ...options);
  };
  const fail = (error: unknown): void => replace(box, h("option", { value: "", disabled: true }, explain(error)));
  readItems(collection, { ...Object.fromEntries(new URLSearchParams(query)), limit: "500" }).then(fill, fail);
  return box;
}

function makeControl(schema: InputSchema, required: boolean): Control {
  if (schema.type === "boolean") return h("input", { type: "checkbox", checked: schema.default === true });
  if (schema.enum) return enumControl(schema, schema.enum, required, false);
  if (schema["x-items"]) return itemControl(schema["x-items"], schema);
  if (schema.type === "array" && schema.items?.enum) return enumControl(schema, schema.items.enum, required, true);
  return textControl(schema);
}

function makeField(name: string, input: ProcessInput): Field {
  const { schema } = input;
  const required = (input.minOccurs ?? 1) > 0 && schema.default === undefined;
  const control = makeControl(schema, required);
  const id = `input-${name}`;
  control.id = id;
  control.name = name;
  const unit = schema["x-unit"] ? ` [${schema["x-unit"]}]` : "";
  const isList = schema.type === "array" && !schema.items?.enum && !schema["x-items"] && isPlain(schema);
  const hints = [
    say(input.description_i18n, input.description ?? ""),
    rangeWords(schema),
    isList ? t("scenario.listHint") : "",
    isMoment(schema) ? t("scenario.localTime") : "",
  ].filter(Boolean);
  const hint = h("span", { class: "soft field-hint", id: `${id}-hint` }, hints.join(" · "));
  const error = h("span", { class: "field-error", role: "alert", id: `${id}-error` });
  control.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  const label = h(
    "label",
    { for: id, class: "field-label" },
    say(input.title_i18n, input.title),
    unit,
    required ? " *" : "",
  );
  const isCheck = schema.type === "boolean";
  const element = h(
    "div",
    { class: isCheck ? "field field-check" : "field" },
    ...(isCheck ? [control, label] : [label, control]),
    hint,
    error,
  );
  return { name, input, control, error, element };
}

function checkNumber(text: string, schema: InputSchema): number | string {
  const value = Number(text.trim().replace(",", "."));
  if (!Number.isFinite(value)) return t("scenario.notNumber");
  if (schema.type === "integer" && !Number.isInteger(value)) return t("scenario.notInteger");
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  if (minimum !== undefined && value < minimum) return t("scenario.tooSmall", { minimum: formatNumber(minimum, 3) });
  if (above !== undefined && value <= above) return t("scenario.notAbove", { minimum: formatNumber(above, 3) });
  if (maximum !== undefined && value > maximum) return t("scenario.tooLarge", { maximum: formatNumber(maximum, 3) });
  if (below !== undefined && value >= below) return t("scenario.notBelow", { maximum: formatNumber(below, 3) });
  return value;
}

type Reading = { value: unknown } | { problem: string };

function readList(text: string, schema: InputSchema): Reading {
  const parts = text
    .split(/[,;\n]/)
    .map((entry) => entry.trim())
    .filter(Boolean);
  if (schema.items?.type !== "number" && schema.items?.type !== "integer") return { value: parts };
  const numbers = parts.map((entry) => checkNumber(entry, schema.items!));
  const problem = numbers.find((entry): entry is string => typeof entry === "string");
  return problem ? { problem } : { value: numbers };
}

function readText(text: string, schema: InputSchema): Reading {
  if (schema.type === "number" || schema.type === "integer") {
    const value = checkNumber(text, schema);
    return typeof value === "number" ? { value } : { problem: value };
  }
  if (schema.type === "array" && isPlain(schema)) return readList(text, schema);
  if (schema.type === "array") {
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      return { problem: t("scenario.badJson") };
    }
  }
  if (isMoment(schema)) {
    const moment = parseCityTime(text);
    return moment ? { value: toIso(moment) } : { problem: t("scenario.required") };
  }
  return { value: text };
}

function readField(field: Field): Reading {
  const { control, input } = field;
  const { schema } = input;
  if (control instanceof HTMLInputElement && control.type === "checkbox") return { value: control.checked };
  if (control instanceof HTMLSelectElement && control.multiple) {
    return { value: [...control.selectedOptions].map((option) => option.value) };
  }
  if (control instanceof HTMLInputElement && control.validity.badInput) return { problem: t("scenario.notNumber") };
  const text = control.value.trim();
  if (text === "") {
    const required = (input.minOccurs ?? 1) > 0 && schema.default === undefined;
    return required ? { problem: t("scenario.required") } : { value: undefined };
  }
  if (schema.enum) return { value: schema.enum.find((value) => String(value) === text) };
  return readText(text, schema);
}

/** Build the form of a process. */
export function makeForm(process: Process, onsubmit: () => void, ...buttons: Node[]): Form {
  const fields = Object.entries(process.inputs).map(([name, input]) => makeField(name, input));
  const element = h(
    "form",
    {
      class: "form",
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        onsubmit();
      },
    },
    ...fields.map((field) => field.element),
    ...buttons,
  );
  const read = (): Record<string, unknown> | null => {
    const inputs: Record<string, unknown> = {};
    let firstWrong: Control | null = null;
    for (const field of fields) {
      const reading = readField(field);
      const problem = "problem" in reading ? reading.problem : "";
      field.error.textContent = problem;
      field.control.setAttribute("aria-invalid", String(problem !== ""));
      if (problem) firstWrong ??= field.control;
      else if ("value" in reading && reading.value !== undefined) inputs[field.name] = reading.value;
    }
    firstWrong?.focus();
    return firstWrong ? null : inputs;
  };
  return { element, read };
}
