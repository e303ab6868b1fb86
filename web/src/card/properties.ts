/** The values of an item: with units, codes in words, addresses as links; what is empty is folded away. */

import { type Child, h } from "../dom";
import { formatProperty } from "../format";
import { say, t } from "../i18n";
import { empty } from "../panels/parts";
import type { Item, Property, VectorLayer } from "../types";
import { propertyRow } from "./fold";

const isSet = (value: unknown): boolean => value !== null && value !== undefined && value !== "";

/** Show an address of the web as a link, everything else as text. */
function writeValue(value: unknown, words: string): Child {
  if (typeof value !== "string" || !/^https?:\/\/\S+$/i.test(value)) return words;
  return h("a", { href: value, target: "_blank", rel: "noopener noreferrer" }, words);
}

/** Build the list; a record of a run goes without its id, which nobody asks for. */
export function propertyList(item: Item, layer: VectorLayer | undefined, withId = true): HTMLElement {
  const declared: readonly Property[] = layer?.properties ?? [];
  const known = new Set(declared.map(({ name }) => name));
  const filled = declared.filter(({ name }) => isSet(item.properties[name]));
  const missing = declared.filter(({ name }) => !isSet(item.properties[name]));
  const rows = filled.map((property) => {
    const value = item.properties[property.name];
    return propertyRow(say(property.title), writeValue(value, formatProperty(value, property)));
  });
  for (const [name, value] of Object.entries(item.properties)) {
    if (known.has(name) || !isSet(value) || typeof value === "object") continue;
    rows.push(propertyRow(name, writeValue(value, String(value))));
  }
  const nothing = missing.map(({ title }) => propertyRow(say(title), "–"));
  return h(
    "div",
    {},
    rows.length > 0 ? null : empty(t("card.noProperties")),
    h("dl", { class: "properties" }, ...rows, withId ? propertyRow(t("card.id"), item.id) : null),
    nothing.length > 0
      ? h(
          "details",
          { class: "card-empties" },
          h("summary", {}, t("item.more", { count: nothing.length })),
          h("dl", { class: "properties" }, ...nothing),
        )
      : null,
  );
}

/** Build the list of where the layer comes from. */
export function sourceList(layer: VectorLayer): HTMLElement {
  const line = ({ title, licence, attribution }: VectorLayer["sources"][number]): HTMLElement =>
    h("li", {}, `${say(title)} · ${licence}`, attribution ? h("span", { class: "soft" }, ` ${attribution}`) : null);
  return layer.sources.length > 0
    ? h("ul", { class: "sources" }, ...layer.sources.map(line))
    : empty(t("tree.noSource"));
}
