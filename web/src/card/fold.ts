/** Sections of the card that fold: what is in one is asked for when it is opened; an open one stays open for the next item. */

import { type Child, h } from "../dom";

/** Keys of the sections that the person keeps open. */
const opened = new Set<string>();

/** Build a section; `fill` gets the holder of its content when it is first opened. */
export function foldSection(key: string, title: string, fill: (holder: HTMLElement) => void): HTMLElement {
  const holder = h("div", { class: "card-fold-body", "aria-live": "polite" });
  let filled = false;
  const open = (): void => {
    opened.add(key);
    if (filled) return;
    filled = true;
    fill(holder);
  };
  const part = h(
    "details",
    {
      class: "card-fold",
      "data-part": key,
      open: opened.has(key),
      ontoggle: () => {
        if (part.open) open();
        else opened.delete(key);
      },
    },
    h("summary", {}, title),
    holder,
  );
  if (opened.has(key)) open();
  return part;
}

/** A row of name and value. */
export const propertyRow = (name: Child, value: Child): HTMLElement =>
  h("div", { class: "property" }, h("dt", {}, name), h("dd", {}, value));
