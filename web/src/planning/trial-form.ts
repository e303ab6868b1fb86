/** The flood that changes are tried in, as a few numbers. */

import { h } from "../dom";
import { formatNumber } from "../format";
import { type Key, t } from "../i18n";
import { TRIAL_LIMITS, type Trial, trial } from "./works";

const FIELDS: readonly (readonly [keyof Trial, Key, string])[] = [
  ["rain", "plan.rain", "mm"],
  ["hours", "plan.rainHours", "h"],
  ["surge", "plan.surge", "m"],
  ["horizon", "plan.horizon", "h"],
  ["cell", "plan.cell", "m"],
];

function field(name: keyof Trial, label: Key, unit: string): HTMLElement {
  const [least, most] = TRIAL_LIMITS[name];
  const error = h("span", { class: "field-error", role: "alert" });
  const box = h("input", {
    class: "input",
    type: "number",
    name: `trial-${name}`,
    min: least,
    max: most,
    step: name === "cell" || name === "horizon" ? 1 : 0.1,
    value: trial.get()[name],
    onchange: () => {
      const value = Number(box.value);
      const wrong = box.value === "" || !(value >= least && value <= most);
      box.setAttribute("aria-invalid", String(wrong));
      const range = { minimum: formatNumber(least), maximum: formatNumber(most) };
      error.textContent = wrong ? t("scenario.range", range) : "";
      if (!wrong) trial.set({ ...trial.get(), [name]: value });
    },
  });
  return h(
    "label",
    { class: "field field-number" },
    h("span", { class: "field-label" }, `${t(label)} [${unit}]`),
    box,
    error,
  );
}

/** Build the fields; they write into the link. */
export const trialForm = (): HTMLElement =>
  h("div", { class: "trial-form" }, ...FIELDS.map(([name, label, unit]) => field(name, label, unit)));
