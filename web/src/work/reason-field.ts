/** Why something is changed: every edit has a reason. */

import { h } from "../dom";
import { t } from "../i18n";

const LONGEST = 500;
let counter = 0;

export interface ReasonField {
  element: HTMLElement;
  /** Return the reason, or null after the field was marked as empty. */
  read: () => string | null;
  set: (words: string) => void;
}

/** Build the field; `optional` where the server takes none as well. */
export function makeReasonField(optional = false): ReasonField {
  const id = `reason-${++counter}`;
  const box = h("input", {
    id,
    name: "reason",
    class: "input",
    maxlength: LONGEST,
    autocomplete: "off",
    "aria-describedby": `${id}-error`,
  });
  const error = h("span", { class: "field-error", id: `${id}-error`, "aria-live": "polite" });
  const mark = (words: string): void => {
    error.textContent = words;
    box.setAttribute("aria-invalid", String(words !== ""));
  };
  box.addEventListener("input", () => mark(""));
  const label = t(optional ? "work.reasonOptional" : "work.reason");
  return {
    element: h("div", { class: "field" }, h("label", { for: id, class: "field-label" }, label), box, error),
    read: () => {
      const words = box.value.trim();
      if (words || optional) return words;
      mark(t("work.reasonNeeded"));
      box.focus();
      return null;
    },
    set: (words) => {
      box.value = words;
    },
  };
}
