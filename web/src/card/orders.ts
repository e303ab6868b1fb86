/** The work orders about an item that are not closed yet. */

import { h } from "../dom";
import { say, t } from "../i18n";
import { empty } from "../panels/parts";
import type { Selection } from "../state";
import type { Words } from "../types";
import { fill, readInternal } from "./internal";

const OPEN: readonly string[] = ["open", "assigned", "done"];

interface OrderFeature {
  id: number;
  properties: { title: string; status: string; status_title: Words; assignee: string | null; due: string | null };
}

function row({ id, properties }: OrderFeature): HTMLElement {
  const { title, status_title, assignee, due } = properties;
  const more = [assignee, due ? t("item.due", { time: due }) : null].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: "version" },
    h("strong", {}, `${id}. ${title}`),
    h("span", {}, h("span", { class: "badge" }, say(status_title)), more ? ` ${more}` : ""),
  );
}

/** Fill the section. */
export function fillOrders(holder: HTMLElement, { layer, id }: Selection): void {
  const query = new URLSearchParams({ collection: layer, feature: id });
  void fill(
    holder,
    () => readInternal<{ features: OrderFeature[] }>(`/api/work-orders?${query}`),
    ({ features }) => {
      const open = features.filter(({ properties }) => OPEN.includes(properties.status));
      return open.length > 0 ? h("ol", { class: "versions" }, ...open.map(row)) : empty(t("item.noOrders"));
    },
  );
}
