/** Pieces of the account's forms: labelled fields, a form that sends once and says what went wrong. */

import { ApiError } from "../api";
import { type Child, h } from "../dom";
import { explain, t } from "../i18n";
import { textButton } from "../panels/parts";

const PROBLEMS = {
  401: "account.wrong",
  429: "account.wait",
} as const;

export interface Field {
  element: HTMLElement;
  input: HTMLInputElement;
}

/** Make a labelled field; `autocomplete` is what a password manager knows it by. */
export function makeField(
  label: string,
  name: string,
  attributes: Record<string, string | number | boolean>,
  hint?: string,
): Field {
  const input = h("input", { class: "input", name, autocapitalize: "none", spellcheck: "false", ...attributes });
  const element = h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, label),
    input,
    hint ? h("span", { class: "soft note" }, hint) : null,
  );
  return { element, input };
}

/** Say in plain words why the server refused. */
export function explainAccount(error: unknown): string {
  if (!(error instanceof ApiError)) return explain(error);
  const key = PROBLEMS[error.status as keyof typeof PROBLEMS];
  return key ? t(key, { hint: error.hint ?? "" }) : explain(error);
}

/** Make a form that sends what is in it and stays open with the reason where it is refused. */
export function makeForm(
  label: string,
  children: Child[],
  send: () => Promise<void>,
  cancel?: () => void,
): HTMLFormElement {
  const problem = h("p", { class: "field-error", role: "alert" });
  const button = h("button", { type: "submit", class: "button button-primary" }, label);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    button.disabled = true;
    problem.textContent = "";
    try {
      await send();
    } catch (error) {
      problem.textContent = explainAccount(error);
    } finally {
      button.disabled = false;
    }
  };
  return h(
    "form",
    { class: "form", onsubmit: (event) => void submit(event) },
    ...children,
    problem,
    h("div", { class: "dialog-actions" }, cancel ? textButton(t("app.cancel"), cancel) : null, button),
  );
}
