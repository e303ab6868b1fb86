/** Pieces that every panel is made of: buttons, messages, badges, figures, sections. */

import { type Child, h } from "../dom";
import { explain, t } from "../i18n";
import { type IconName, icon } from "../icons";

export function iconButton(
  name: IconName,
  label: string,
  onclick: (event: Event) => void,
  kind = "",
): HTMLButtonElement {
  const button = h("button", {
    type: "button",
    class: `icon-button ${kind}`,
    "aria-label": label,
    title: label,
    onclick,
  });
  button.append(icon(name));
  return button;
}

export function textButton(
  label: string,
  onclick: (event: Event) => void,
  kind = "",
  name?: IconName,
): HTMLButtonElement {
  return h("button", { type: "button", class: `button ${kind}`, onclick }, name ? icon(name, 16) : null, label);
}

export const syntheticBadge = (label = t("layers.synthetic")): HTMLElement =>
  h("span", { class: "badge badge-synthetic", title: t("app.synthetic") }, label);

export const loading = (words = t("card.loading")): HTMLElement =>
  h(
    "p",
    { class: "message message-loading", role: "status" },
    h("span", { class: "spinner", "aria-hidden": "true" }),
    words,
  );

export const empty = (...words: Child[]): HTMLElement => h("div", { class: "message" }, ...words);

/** Say what failed, and offer to try again. */
export function failure(error: unknown, retry?: () => void): HTMLElement {
  return h(
    "div",
    { class: "message message-error", role: "alert" },
    icon("warning"),
    h("span", {}, explain(error)),
    retry ? textButton(t("app.retry"), retry, "button-small") : null,
  );
}

export const section = (title: string, ...children: Child[]): HTMLElement =>
  h("section", { class: "section" }, h("h3", { class: "section-title" }, title), ...children);

export function figure(name: IconName, label: string, value: string): HTMLElement {
  return h(
    "div",
    { class: "figure" },
    h("span", { class: "figure-icon" }, icon(name, 16)),
    h("span", { class: "figure-value" }, value),
    h("span", { class: "figure-label" }, label),
  );
}

/** A colour sample of a legend; the shape says what is drawn. */
export const swatch = (color: string, shape = "fill"): HTMLElement =>
  h("span", { class: `swatch swatch-${shape}`, style: `--swatch:${color}`, "aria-hidden": "true" });

export interface Choice {
  value: string;
  label: string;
}

export function select(
  label: string,
  choices: Choice[],
  value: string,
  onchange: (value: string) => void,
): HTMLSelectElement {
  const box = h(
    "select",
    { "aria-label": label, class: "select", onchange: (event) => onchange((event.target as HTMLSelectElement).value) },
    ...choices.map((choice) => h("option", { value: choice.value, selected: choice.value === value }, choice.label)),
  );
  box.value = value;
  return box;
}
