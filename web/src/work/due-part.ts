/** What is due to be looked at: never looked at first, then longest ago; a look is recorded here. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { itemButton } from "../panels/item-button";
import { empty, failure, loading, select, textButton } from "../panels/parts";
import type { ZoomToItem } from "../types";
import { type Due, readDue } from "./api";
import { inspectionForm } from "./inspection-form";
import { openNewOrder } from "./open";
import { formatDate } from "./order-words";

/** Layers that are looked at in turn. */
const LAYERS = [
  "drainage_nodes",
  "drainage_links",
  "dykes",
  "bridges",
  "road_links",
  "signals",
  "luminaires",
  "lighting_cabinets",
  "trees",
];
const SHOWN = 30;

/** Build the part. */
export function duePart(map: MapView, zoomToItem: ZoomToItem): HTMLElement {
  const known = LAYERS.filter((layer) => findVectorLayer(layer));
  const list = h("div", { "aria-live": "polite" });
  const show = async (layer: string): Promise<void> => {
    replace(list, loading());
    try {
      const due = await readDue(layer);
      replace(
        list,
        due.length === 0 ? empty(t("work.nothingDue")) : dueList(map, due, zoomToItem, () => void show(layer)),
      );
    } catch (error) {
      replace(
        list,
        failure(error, () => void show(layer)),
      );
    }
  };
  const layers = known.map((value) => ({ value, label: say(findVectorLayer(value)?.title, value) }));
  const first = known[0];
  if (first) void show(first);
  return h(
    "div",
    {},
    select(t("work.layer"), layers, first ?? "", (layer) => void show(layer)),
    list,
  );
}

function dueList(map: MapView, due: readonly Due[], zoomToItem: ZoomToItem, again: () => void): HTMLElement {
  const problem = h("div");
  const list = h("ul", { class: "edits" });
  const more = h("div");
  let shown = 0;
  const row = (one: Due): HTMLElement => {
    const form = h("div");
    return h(
      "li",
      { class: "due" },
      h(
        "div",
        { class: "row" },
        itemButton(one.collection, one.feature, zoomToItem, problem),
        h(
          "span",
          { class: "soft" },
          one.last ? t("work.lastSeen", { day: formatDate(one.last) }) : t("work.neverSeen"),
        ),
      ),
      h(
        "div",
        { class: "row" },
        textButton(t("work.inspect"), () => replace(form, inspectionForm(map, one, again)), "button-small"),
        textButton(
          t("card.order"),
          () =>
            openNewOrder(one.collection, one.feature, {
              origin: "inspection",
              title: t("work.inspectTitle", { id: one.feature }),
            }),
          "button-small",
        ),
      ),
      form,
    );
  };
  const grow = (): void => {
    list.append(...due.slice(shown, shown + SHOWN).map(row));
    shown += SHOWN;
    replace(more, shown < due.length ? textButton(t("work.moreRows"), grow, "button-small button-wide") : null);
  };
  grow();
  return h("div", {}, problem, list, more);
}
