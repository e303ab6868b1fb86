/** Words of work orders that several of their parts say. */

import { h } from "../dom";
import { formatProperty } from "../format";
import { t } from "../i18n";
import type { Order, OrderKind, OrderPriority, OrderStatus } from "./api";

export const KINDS: readonly OrderKind[] = ["repair", "clean", "replace", "inspect", "other"];
export const PRIORITIES: readonly OrderPriority[] = ["urgent", "high", "normal", "low"];

/** Write a day without a time. */
export const formatDate = (day: string): string =>
  formatProperty(day, { name: "day", title: { vi: "", en: "" }, type: "date" });

/** Say how urgent an order is and until when; what is late says so in words. */
export function orderBadges(order: Order): HTMLElement {
  const priority = order.priority === "normal" ? null : t(`work.priority_${order.priority}`);
  return h(
    "span",
    { class: "order-badges" },
    priority ? h("span", { class: `badge badge-${order.priority}` }, priority) : null,
    order.overdue ? h("span", { class: "badge badge-overdue" }, t("work.overdue")) : null,
    order.due ? h("span", { class: "soft" }, t("work.dueOn", { day: formatDate(order.due) })) : null,
  );
}

/** Say what a step does; back to work is not the same as first to be assigned. */
export function stepWords(order: Order, next: OrderStatus): string {
  if (order.status === "done" && next === "assigned") return t("work.notAccepted");
  return t(`work.to_${next}`);
}
