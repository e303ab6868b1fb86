/** The board: work orders in columns by state, each with the steps it may take next. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { failure, loading, textButton } from "../panels/parts";
import { moveOrder, type Order, type OrderStatus, readOrders } from "./api";
import { shownOrder } from "./open";
import { orderBadges, stepWords } from "./order-words";

const COLUMNS: readonly OrderStatus[] = ["open", "assigned", "done", "verified"];
const PAGE = "100";

/** Open the board over the page; `closed` is told when it goes. */
export function openBoard(closed: () => void): void {
  const holder = h("div", { class: "board-holder" });
  const dialog = openDialog(
    t("work.board"),
    (close) => {
      const show = async (): Promise<void> => {
        replace(holder, loading());
        try {
          const columns = await Promise.all(COLUMNS.map((status) => readOrders({ status, limit: PAGE })));
          replace(
            holder,
            h(
              "div",
              { class: "board" },
              ...COLUMNS.map((status, at) => column(status, columns[at] ?? [], close, () => void show())),
            ),
          );
        } catch (error) {
          replace(
            holder,
            failure(error, () => void show()),
          );
        }
      };
      void show();
      return holder;
    },
    closed,
  );
  dialog.classList.add("dialog-wide");
}

function column(status: OrderStatus, orders: readonly Order[], close: () => void, again: () => void): HTMLElement {
  return h(
    "section",
    { class: "board-column", "aria-label": t(`work.status_${status}`) },
    h("h3", {}, t(`work.status_${status}`), " ", h("span", { class: "soft" }, String(orders.length))),
    ...orders.map((order) => card(order, close, again)),
  );
}

function card(order: Order, close: () => void, again: () => void): HTMLElement {
  const said = h("div", { "aria-live": "polite" });
  const open = (): void => {
    close();
    shownOrder.set(String(order.id));
  };
  const go = async (status: OrderStatus): Promise<void> => {
    try {
      await moveOrder(order, status, null, "");
      again();
    } catch (error) {
      replace(said, failure(error));
    }
  };
  // Who takes an order is said in the order itself.
  const steps = order.next.filter((status) => status !== "cancelled" && (status !== "assigned" || order.assignee));
  return h(
    "article",
    { class: "board-card" },
    h("button", { type: "button", class: "link-button", onclick: open }, `#${order.id} ${order.title}`),
    order.assignee ? h("p", { class: "soft" }, order.assignee) : null,
    orderBadges(order),
    h(
      "div",
      { class: "row" },
      ...steps.map((status) => textButton(stepWords(order, status), () => void go(status), "button-small")),
    ),
    said,
  );
}
