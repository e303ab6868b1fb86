/** What else lies where an item lies: its ward, parcel, zone, network area. */

import { request } from "../api";
import { findVectorLayer, getCatalog, isEmpty } from "../data";
import { h } from "../dom";
import { formatShare } from "../format";
import { say, t } from "../i18n";
import { isOfRuns } from "../map/tile-query";
import { empty } from "../panels/parts";
import { type Selection, setState } from "../state";
import type { Item, VectorLayer } from "../types";
import { fill } from "./internal";
import { nameOf } from "./names";

const MOST_LAYERS = 12;
const MOST_ITEMS = 30;
/** Areas in which everything lies. */
const TOO_LARGE: readonly string[] = ["provinces", "admin_changes"];

interface Overlap {
  collection: string;
  id: string;
  properties: Item["properties"];
  share: number | null;
}

/** Return the layers of areas that are looked in, those that rank highest where there are too many. */
function areasBeside(own: string): VectorLayer[] {
  const areas = getCatalog()
    .themes.flatMap((theme) => theme.layers)
    .flatMap((layer) => (layer.kind === "vector" && layer.geometry === "MultiPolygon" ? layer : []))
    .filter((layer) => layer.id !== own && !isEmpty(layer) && !isOfRuns(layer) && !TOO_LARGE.includes(layer.id));
  return areas.sort((a, b) => b.rank - a.rank).slice(0, MOST_LAYERS);
}

function row({ collection, id, properties, share }: Overlap): HTMLElement {
  const layer = findVectorLayer(collection);
  const choose = (): void => setState({ place: null, selection: { layer: collection, id } });
  const part = share !== null && share < 0.995 ? ` · ${formatShare(share)}` : "";
  return h(
    "li",
    { class: "related" },
    h("span", { class: "soft" }, `${say(layer?.title, collection)}${part}`),
    h("button", { type: "button", class: "link-button", onclick: choose }, nameOf(properties, layer) ?? id),
  );
}

/** Fill the section. */
export function fillRelated(holder: HTMLElement, { layer, id }: Selection): void {
  const collections = areasBeside(layer).map((one) => one.id);
  const path = `/api/collections/${encodeURIComponent(layer)}/items/${encodeURIComponent(id)}/overlaps`;
  void fill(
    holder,
    () => request<{ overlaps: Overlap[] }>(`${path}?${new URLSearchParams({ collections: collections.join() })}`),
    ({ overlaps }) =>
      overlaps.length > 0
        ? h("ul", { class: "related-list" }, ...overlaps.slice(0, MOST_ITEMS).map(row))
        : empty(t("item.nothingHere")),
  );
}
