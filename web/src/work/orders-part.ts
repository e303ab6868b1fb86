/** Work orders: a list or a board by state, those on the map, one in full, a new one, and what is due to be looked at. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { drawNetwork } from "../map/network";
import { boundsOf, zoomToBounds } from "../map/pick";
import { empty, failure, loading, select, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, watch } from "../state";
import type { ZoomToItem } from "../types";
import { type Order, readOrders } from "./api";
import { duePart } from "./due-part";
import { openNewOrder, shownOrder } from "./open";
import { openBoard } from "./order-board";
import { orderDetail } from "./order-detail";
import { orderForm } from "./order-form";
import { orderBadges } from "./order-words";

const PAGE = 100;

/** Begin an order about the item that is chosen, where one is. */
function begin(): void {
  const { selection } = getState();
  openNewOrder(selection?.layer ?? null, selection?.id ?? null);
}

const OPEN = "open,assigned,done";
const COLORS = { open: "#b3452f", assigned: "#a8690f", done: "#23805a", verified: "#5a6f7d", cancelled: "#8a8299" };

type View = "running" | "overdue" | "verified" | "cancelled" | "due";
const VIEWS: readonly View[] = ["running", "overdue", "verified", "cancelled", "due"];

const queryOf = (view: View): Record<string, string> => {
  if (view === "overdue") return { overdue: "true" };
  return { status: view === "running" ? OPEN : view };
};

/** Build the part. */
export function ordersPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const element = h("div");
  let view: View = "running";
  let asked = 0;

  const list = async (): Promise<void> => {
    const ticket = ++asked;
    const body = h("div", { "aria-live": "polite" }, loading());
    replace(element, head(), body);
    if (view === "due") {
      replace(body, duePart(map, zoomToItem));
      return;
    }
    try {
      const orders = await readOrders({ ...queryOf(view), limit: String(PAGE) });
      if (ticket !== asked) return;
      drawOrders(map, orders);
      replace(
        body,
        orders.length === 0 ? empty(t(view === "running" ? "work.noOrders" : "work.noneSuch")) : listPart(map, orders),
      );
    } catch (error) {
      if (ticket !== asked) return;
      replace(
        body,
        failure(error, () => void list()),
      );
    }
  };
  const head = (): HTMLElement => {
    const views = VIEWS.map((value) => ({ value, label: t(`work.view_${value}`) }));
    return h(
      "div",
      {},
      h(
        "div",
        { class: "row" },
        textButton(t("work.newOrder"), begin, "button-small button-primary", "plus"),
        textButton(t("work.board"), () => openBoard(() => void show()), "button-small"),
      ),
      select(t("work.show"), views, view, (next) => {
        view = next as View;
        void list();
      }),
    );
  };
  const show = (): void => {
    if (getState().tab !== "inventory" || getState().job !== "orders") return;
    const which = shownOrder.get();
    const back = (): void => shownOrder.set(null);
    asked += 1;
    if (which === "new") replace(element, orderForm(map, back));
    else if (which) replace(element, orderDetail(map, Number(which), zoomToItem, back));
    else void list();
  };
  shownOrder.watch(show);
  watch(["lang"], show);
  return { element, show };
}

/** Draw orders where their work is. */
function drawOrders(map: MapView, orders: readonly Order[]): void {
  const features = orders.flatMap((order): GeoJSON.Feature[] =>
    order.position
      ? [
          {
            type: "Feature",
            geometry: { type: "Point", coordinates: [order.position.lon, order.position.lat] },
            properties: {
              color: COLORS[order.status],
              size: 11,
              label: String(order.id),
              ...(order.items[0] ? { layer_id: order.items[0].collection, item_id: order.items[0].feature } : {}),
            },
          },
        ]
      : [],
  );
  drawNetwork(map, { features, tiles: [] });
}

function listPart(map: MapView, orders: readonly Order[]): HTMLElement {
  const geometries = orders.flatMap(({ position }): GeoJSON.Point[] =>
    position ? [{ type: "Point", coordinates: [position.lon, position.lat] }] : [],
  );
  return h(
    "div",
    {},
    geometries.length > 0
      ? textButton(
          t("work.allOnMap"),
          () => zoomToBounds(map, boundsOf({ type: "GeometryCollection", geometries })),
          "button-small",
          "target",
        )
      : null,
    h("ul", { class: "edits" }, ...orders.map((order) => h("li", {}, orderButton(order)))),
  );
}

function orderButton(order: Order): HTMLElement {
  return h(
    "button",
    {
      type: "button",
      class: "count-row",
      "data-order": order.id,
      onclick: () => shownOrder.set(String(order.id)),
    },
    h("strong", {}, `#${order.id}`),
    h("span", {}, order.title),
    h("span", { class: "soft" }, [t(`work.status_${order.status}`), order.assignee].filter(Boolean).join(" · ")),
    orderBadges(order),
  );
}
