/** Fields for the values of a condition: numbers, days, words, codes as a check list. */

import { h, replace } from "../dom";
import { formatNumber, formatUnit } from "../format";
import { say, t } from "../i18n";
import { select } from "../panels/parts";
import type { Property } from "../types";
import { isDated, isListed, isNumber, type Op, opsOf, type Test, valuesOf } from "./tests";

/** How often each code occurs, null until it is known. */
export type Counts = ReadonlyMap<string, number> | null;

const codesOf = (property: Property): { value: string; title: string }[] =>
  property.type === "boolean"
    ? [
        { value: "true", title: t("card.yes") },
        { value: "false", title: t("card.no") },
      ]
    : (property.codes ?? []).map(({ value, title }) => ({ value, title: say(title) }));

function checkList(test: Test, property: Property, counts: Counts, change: (values: string[]) => void): HTMLElement {
  const ticked = new Set(test.values);
  const entry = ({ value, title }: { value: string; title: string }): HTMLElement => {
    const box = h("input", {
      type: "checkbox",
      value,
      onchange: (event) => {
        if ((event.target as HTMLInputElement).checked) ticked.add(value);
        else ticked.delete(value);
        change([...ticked]);
      },
    });
    box.checked = ticked.has(value);
    const count = counts ? h("span", { class: "soft" }, formatNumber(counts.get(value) ?? 0, 0)) : null;
    return h("label", { class: "check-line" }, box, h("span", {}, title), count);
  };
  const missing = !counts || (counts.get("") ?? 0) > 0 || ticked.has("");
  const codes = [...codesOf(property), ...(missing ? [{ value: "", title: t("table.without") }] : [])];
  return h("div", { class: "check-list", role: "group", "aria-label": say(property.title) }, ...codes.map(entry));
}

function valueField(
  property: Property,
  op: Op,
  label: string,
  value: string,
  change: (value: string) => void,
): HTMLElement {
  const years = op === "older" || op === "newer";
  const number = years || isNumber(property);
  const unit = years ? t("unit.years") : formatUnit(property.unit);
  const box = h("input", {
    class: "input",
    type: !number && isDated(property) ? "date" : "text",
    inputmode: number ? "decimal" : null,
    autocomplete: "off",
    "aria-label": unit ? `${label} [${unit}]` : label,
    placeholder: number ? (unit ?? "") : null,
    oninput: (event) => change((event.target as HTMLInputElement).value),
  });
  box.value = !number && isDated(property) ? value.slice(0, 10) : value;
  return box;
}

/** Of codes one value is a list of one, as the check list shows it. */
function fit(test: Test, property: Property): Test {
  if (!isListed(property)) return test;
  if (test.op === "eq") return { ...test, op: "in" };
  return test.op === "ne" ? { ...test, op: "notin" } : test;
}

/** Build the fields of a condition; `change` is told of every keystroke. */
export function testFields(
  test: Test,
  property: Property,
  change: (next: Test) => void,
  counts: Counts = null,
): HTMLElement {
  let now = fit(test, property);
  const holder = h("div", { class: "test-values" });
  const put = (part: Partial<Test>): void => {
    now = { ...now, ...part };
    change(now);
  };
  const putAt = (place: number, value: string): void => {
    const values = [now.values[0] ?? "", now.values[1] ?? ""];
    values[place] = value;
    put({ values: values.slice(0, valuesOf(now.op)) });
  };
  const showValues = (): void => {
    const { op, values } = now;
    if (isListed(property) && (op === "in" || op === "notin")) {
      replace(
        holder,
        checkList(now, property, counts, (ticked) => put({ values: ticked })),
      );
      return;
    }
    const labels = op === "between" ? [t("table.from"), t("table.to")] : [t("table.value")];
    replace(
      holder,
      ...labels
        .slice(0, valuesOf(op))
        .map((label, place) => valueField(property, op, label, values[place] ?? "", (value) => putAt(place, value))),
    );
  };
  // A condition that was written as text may use an operator that is not usual of the property.
  const known = opsOf(property);
  const ops = [...known, ...(known.includes(now.op) ? [] : [now.op])].map((value) => ({
    value,
    label: t(`op.${value}`),
  }));
  const chooser = select(t("table.op"), ops, now.op, (value) => {
    const op = value as Op;
    const listed = (one: Op): boolean => one === "in" || one === "notin";
    put({ op, values: listed(op) === listed(now.op) ? now.values.slice(0, listed(op) ? undefined : 2) : [] });
    showValues();
  });
  showValues();
  return h("div", { class: "test-fields" }, chooser, holder);
}

/** Return an empty condition on a property. */
export const newTest = (property: Property): Test => ({ name: property.name, op: opsOf(property)[0]!, values: [] });

/** Say a condition in words. */
export function sayTest(test: Test, property: Property): string {
  const { op, values } = fit(test, property);
  const name = say(property.title);
  if (valuesOf(op) === 0) return `${name} ${t(`op.${op}`)}`;
  const titles = new Map(codesOf(property).map(({ value, title }) => [value, title]));
  const title = (value: string): string => titles.get(value) ?? (value === "" ? t("table.without") : value);
  if (op === "in" || op === "notin") {
    const listed = values.slice(0, 3).map(title).join(", ");
    return `${name} ${t(`op.${op}`)} ${listed}${values.length > 3 ? "…" : ""}`;
  }
  const unit = op === "older" || op === "newer" ? t("unit.years") : formatUnit(property.unit);
  const [low = "", high = ""] = values;
  if (op !== "between") return `${name} ${t(`op.${op}`)} ${low} ${unit}`.trim();
  if (low && high) return `${name} ${low} – ${high} ${unit}`.trim();
  return low ? `${name} ≥ ${low} ${unit}`.trim() : `${name} ≤ ${high} ${unit}`.trim();
}
