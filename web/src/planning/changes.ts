/** What changed in the city between two moments: counts by layer, and each change to be brought on the map. */

import { getCatalog } from "../data";
import { type Child, h, replace } from "../dom";
import { formatDateTime, formatNumber, formatProperty } from "../format";
import { type Key, say, t } from "../i18n";
import { empty, failure, loading, section, textButton } from "../panels/parts";
import { openTable } from "../table/open";
import type { VectorLayer, ZoomToItem } from "../types";
import { type Change, type ChangePage, readChanges } from "./api";

const MOST = 200;
const SHOWN = 50;
const AT_ONCE = 4;
const KIND_WORDS: Record<Change["change"], Key> = {
  created: "plan.created",
  changed: "plan.changed",
  deleted: "plan.deleted",
};

const ofCity = (): VectorLayer[] =>
  getCatalog()
    .themes.flatMap((theme) => theme.layers)
    .filter((layer): layer is VectorLayer => layer.kind === "vector")
    .filter((layer) => !layer.properties.some(({ name }) => name === "run_id"));

function changeWords(layer: VectorLayer, { properties, moved }: Change): string {
  const parts = Object.entries(properties).map(([name, { old, new: next }]) => {
    const property = layer.properties.find((one) => one.name === name);
    if (!property) return name;
    return `${say(property.title)}: ${formatProperty(old, property)} → ${formatProperty(next, property)}`;
  });
  return [...parts, moved ? t("plan.movedBy", { metres: formatNumber(moved, 1) }) : ""].filter(Boolean).join("; ");
}

function changeRow(
  layer: VectorLayer,
  { id, geometry, properties }: ChangePage["features"][number],
  zoom: ZoomToItem,
): HTMLElement {
  const words = changeWords(layer, properties);
  return h(
    "li",
    { class: "change" },
    h("span", { class: `badge change-${properties.change}` }, t(KIND_WORDS[properties.change])),
    h("button", { type: "button", class: "link-button", onclick: () => zoom(layer.id, id, geometry) }, id),
    words ? h("span", { class: "soft" }, words) : null,
  );
}

function layerRow(layer: VectorLayer, page: ChangePage, to: string, zoom: ZoomToItem): HTMLElement {
  const more = page.links.some(({ rel }) => rel === "next");
  const count = (kind: Change["change"]): number =>
    page.features.filter(({ properties }) => properties.change === kind).length;
  const kinds = (Object.keys(KIND_WORDS) as Change["change"][]).filter((kind) => count(kind) > 0);
  const words: Child[] = kinds.map((kind) =>
    h(
      "span",
      { class: `badge change-${kind}` },
      `${t(KIND_WORDS[kind])} ${formatNumber(count(kind), 0)}${more ? "+" : ""}`,
    ),
  );
  const list = h("ul", { class: "plain-list changes" });
  const fold = h(
    "details",
    {
      class: "more",
      ontoggle: () => {
        if (list.childElementCount === 0)
          replace(list, ...page.features.slice(0, SHOWN).map((one) => changeRow(layer, one, zoom)));
      },
    },
    h("summary", {}, h("strong", {}, say(layer.title)), " ", ...words),
    list,
    page.features.length > SHOWN || more
      ? h("p", { class: "soft note" }, t("plan.firstChanges", { count: SHOWN }))
      : null,
    textButton(t("plan.openTable"), () => openTable(layer.id, { at: to }), "button-small", "table"),
  );
  return h("li", { "data-changes": layer.id }, fold);
}

/** Build the list; layers are asked some at a time, and it grows as they answer. */
export function changesList(from: string, to: string, zoom: ZoomToItem): HTMLElement {
  const list = h("ul", { class: "plain-list" });
  const state = h("div", { role: "status" });
  const load = async (): Promise<void> => {
    const waiting = ofCity();
    const all = waiting.length;
    replace(list);
    let asked = 0;
    const work = async (): Promise<void> => {
      for (let layer = waiting.shift(); layer; layer = waiting.shift()) {
        const page = await readChanges(layer.id, from, to, MOST);
        asked++;
        replace(state, loading(t("plan.asking", { count: asked, all })));
        if (page.features.length > 0) list.append(layerRow(layer, page, to, zoom));
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      replace(state, list.childElementCount === 0 ? empty(t("plan.nothingChanged")) : null);
    } catch (error) {
      replace(
        state,
        failure(error, () => void load()),
      );
    }
  };
  void load();
  return section(t("plan.changesBetween", { from: formatDateTime(from), to: formatDateTime(to) }), list, state);
}
