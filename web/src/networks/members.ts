/** What a trace found, item by item: a list of each layer, and the same as a file. */

import { findVectorLayer } from "../data";
import { type Child, h } from "../dom";
import { formatProperty } from "../format";
import { say, t } from "../i18n";
import { makePager } from "../panels/pager";
import { section, select, textButton } from "../panels/parts";
import { table } from "../panels/table";
import { openTable } from "../table/open";
import type { Item, ItemPage, ZoomToItem } from "../types";

const PAGE = 20;
const FORMATS = [
  ["geojson", "GeoJSON"],
  ["csv", "CSV"],
  ["gpkg", "GeoPackage"],
] as const;
/** What tells items of a layer apart, the best first. */
const TELLING = ["name", "street", "diameter", "link_type", "node_type", "valve_type", "lamp_type", "status", "length"];

export const traceFilter = (id: string): string => `in_trace('${id}')`;

/** Links that save what a question finds in a layer; `name` is that of the files. */
export function downloads(layer: string, query: Record<string, string>, name: string): HTMLElement {
  const link = ([format, title]: readonly [string, string]): HTMLElement => {
    const href = `/api/collections/${layer}/items?${new URLSearchParams({ ...query, f: format })}`;
    return h("a", { class: "button button-small", href, download: `${name}.${format}` }, title);
  };
  return h("div", { class: "row downloads", role: "group", "aria-label": t("network.download") }, ...FORMATS.map(link));
}

function itemTable(page: ItemPage, layer: string, zoomToItem: ZoomToItem): HTMLElement {
  const declared = findVectorLayer(layer)?.properties ?? [];
  const filled = (name: string): boolean => page.features.some((item) => item.properties[name] != null);
  const shown = TELLING.filter(filled)
    .flatMap((name) => declared.find((property) => property.name === name) ?? [])
    .slice(0, 2);
  const row = (item: Item): Child[] => [
    h(
      "button",
      { type: "button", class: "link-button", onclick: () => zoomToItem(layer, item.id, item.geometry) },
      item.id,
    ),
    ...shown.map((property) => formatProperty(item.properties[property.name], property)),
  ];
  return table([t("card.id"), ...shown.map((property) => say(property.title))], page.features.map(row));
}

/** Build the list of the members of a trace; `layers` are those it found something in. */
export function memberPart(id: string, layers: readonly string[], zoomToItem: ZoomToItem): HTMLElement | null {
  let layer = layers[0];
  if (!layer) return null;
  const files = h("div", { class: "row downloads" });
  const pager = makePager((page) => itemTable(page, layer!, zoomToItem), t("network.nothing"));
  const show = (): void => {
    const query = { filter: traceFilter(id) };
    const all = textButton(t("table.openFound"), () => openTable(layer!, query), "button-small", "table");
    files.replaceChildren(all, downloads(layer!, query, `${layer}-${id}`));
    pager.open(layer!, { ...query, limit: String(PAGE) });
  };
  const choices = layers.map((value) => ({ value, label: say(findVectorLayer(value)?.title, value) }));
  const chooser = select(t("impact.layer"), choices, layer, (value) => {
    layer = value;
    show();
  });
  show();
  return section(t("network.members"), chooser, files, pager.element);
}
