/** One work order: what, where, whose; its next steps, its record, photographs, and the sheet for the field. */

import type { Map as MapView } from "maplibre-gl";
import { readItem } from "../api";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatNumber, formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { drawNetwork } from "../map/network";
import { zoomToBounds } from "../map/pick";
import { itemButton } from "../panels/item-button";
import { failure, loading, section, textButton } from "../panels/parts";
import type { ZoomToItem } from "../types";
import { readAuthor } from "../writing";
import { changeOrder, moveOrder, type Order, type OrderEvent, type OrderStatus, readOrder } from "./api";
import { attachmentsPart } from "./attachments";
import { printSheet } from "./job-sheet";
import { openEditor } from "./open";
import { changeForm } from "./order-form";
import { formatDate, orderBadges, stepWords } from "./order-words";
import { makeReasonField } from "./reason-field";

type Full = Order & { events: OrderEvent[] };

const NEAR = 0.0012;

/** Build the part of the order of this number; `back` goes to the list. */
export function orderDetail(map: MapView, id: number, zoomToItem: ZoomToItem, back: () => void): HTMLElement {
  const element = h("div", { class: "order-detail" });
  const open = async (): Promise<void> => {
    if (!element.hasChildNodes()) replace(element, loading());
    try {
      const order = await readOrder(id);
      draw(map, order);
      replace(element, ...show(map, order, zoomToItem, back, () => void open()));
    } catch (error) {
      replace(
        element,
        textButton(t("work.back"), back, "button-small"),
        failure(error, () => void open()),
      );
    }
  };
  void open();
  return element;
}

function draw(map: MapView, { id, position }: Order): void {
  if (!position) return;
  const geometry: GeoJSON.Point = { type: "Point", coordinates: [position.lon, position.lat] };
  const properties = { color: "#b3452f", size: 12, label: String(id) };
  drawNetwork(map, { features: [{ type: "Feature", geometry, properties }], tiles: [] });
}

function show(
  map: MapView,
  order: Full,
  zoomToItem: ZoomToItem,
  back: () => void,
  again: () => void,
): (HTMLElement | null)[] {
  const { position } = order;
  const zoom = (): void => {
    if (position)
      zoomToBounds(map, [position.lon - NEAR, position.lat - NEAR, position.lon + NEAR, position.lat + NEAR]);
  };
  const [first] = order.items;
  const print = async (): Promise<void> => {
    zoom();
    const item = first ? await readItem(first.collection, first.feature).catch(() => null) : null;
    await printSheet(map, order, item);
  };
  const facts: [string, string][] = [
    [t("work.orderKind"), t(`work.do_${order.kind}`)],
    [t("work.assignee"), order.assignee ?? "–"],
    [t("work.due"), order.due ? formatDate(order.due) : "–"],
    [t("work.origin"), t(`work.from_${order.origin}`)],
    [t("work.cost"), order.cost === null ? "–" : formatNumber(order.cost, 0)],
  ];
  return [
    textButton(t("work.back"), back, "button-small"),
    h(
      "header",
      { class: "editor-head" },
      h(
        "p",
        { class: "soft" },
        `#${order.id} · `,
        h("strong", { "data-status": order.status }, t(`work.status_${order.status}`)),
      ),
      h("h3", {}, order.title),
      orderBadges(order),
    ),
    order.description ? h("p", { class: "order-words" }, order.description) : null,
    stepsPart(order, again),
    h(
      "div",
      { class: "row" },
      position ? textButton(t("work.onMap"), zoom, "button-small", "target") : null,
      textButton(t("work.printSheet"), () => void print(), "button-small", "print"),
    ),
    h(
      "dl",
      { class: "properties" },
      ...facts.map(([name, value]) => h("div", { class: "property" }, h("dt", {}, name), h("dd", {}, value))),
    ),
    itemsPart(order, zoomToItem),
    first ? attachmentsPart(first, order) : null,
    section(t("work.record"), h("ol", { class: "record" }, ...order.events.map(eventRow))),
    changePart(order, again),
  ];
}

function itemsPart(order: Order, zoomToItem: ZoomToItem): HTMLElement | null {
  if (order.items.length === 0) return null;
  const problem = h("div");
  const row = ({ collection, feature }: Order["items"][number]): HTMLElement =>
    h(
      "li",
      { class: "row" },
      itemButton(collection, feature, zoomToItem, problem),
      h("span", { class: "soft" }, say(findVectorLayer(collection)?.title, collection)),
      textButton(t("work.edit"), () => openEditor(collection, feature), "button-small"),
    );
  return section(t("work.about"), h("ul", {}, ...order.items.map(row)), problem);
}

function eventRow(event: OrderEvent): HTMLElement {
  const step = event.from === event.to ? t("work.changed") : t(`work.status_${event.to}`);
  return h(
    "li",
    {},
    h("strong", {}, step),
    h("span", { class: "soft" }, ` ${formatShortDateTime(event.at)} · ${event.author}`),
    event.reason ? h("p", {}, event.reason) : null,
  );
}

/** The steps that the server allows from here, each with words of what was done. */
function stepsPart(order: Order, again: () => void): HTMLElement | null {
  if (order.next.length === 0) return null;
  const words = makeReasonField(true);
  const said = h("div", { "aria-live": "polite" });
  const assignee = h("input", {
    class: "input",
    name: "assignee",
    maxlength: 100,
    autocomplete: "off",
    value: order.assignee ?? "",
    "aria-label": t("work.assignee"),
    placeholder: t("work.assignee"),
  });
  const needsAssignee = order.next.includes("assigned");
  const go = async (status: OrderStatus): Promise<void> => {
    const whose = status === "assigned" ? assignee.value.trim() : null;
    if (whose === "") {
      replace(said, h("p", { class: "field-error" }, t("work.assigneeNeeded")));
      assignee.focus();
      return;
    }
    replace(said, loading(t("work.saving")));
    try {
      await moveOrder(order, status, whose, words.read() ?? "");
      again();
    } catch (error) {
      replace(said, failure(error, again));
    }
  };
  const comment = async (): Promise<void> => {
    const remark = words.read();
    if (!remark) return;
    const line = `${formatShortDateTime(new Date())} ${readAuthor()}: ${remark}`;
    try {
      await changeOrder(order, { description: [order.description, line].filter(Boolean).join("\n") }, remark);
      again();
    } catch (error) {
      replace(said, failure(error, again));
    }
  };
  const isBack = (status: OrderStatus): boolean =>
    status === "cancelled" || status === "open" || (order.status === "done" && status === "assigned");
  return section(
    t("work.nextStep"),
    needsAssignee ? assignee : null,
    words.element,
    said,
    h(
      "div",
      { class: "row" },
      ...order.next.map((status) =>
        textButton(
          stepWords(order, status),
          () => void go(status),
          isBack(status) ? "button-small" : "button-small button-primary",
        ),
      ),
      textButton(t("work.comment"), () => void comment(), "button-small"),
    ),
  );
}

function changePart(order: Order, again: () => void): HTMLElement {
  const holder = h("div");
  const details = h(
    "details",
    {
      class: "more",
      ontoggle: () => {
        if (details.open)
          replace(
            holder,
            changeForm(order, (changed) => (changed ? again() : details.removeAttribute("open"))),
          );
      },
    },
    h("summary", {}, t("work.changeOrder")),
    holder,
  );
  return details;
}
