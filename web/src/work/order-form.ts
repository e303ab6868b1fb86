/** The form of a new work order, or of one that is changed. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { notify } from "../panels/notice";
import { failure, loading, select, textButton } from "../panels/parts";
import { changeOrder, type Order, type OrderKind, type OrderPriority, sendOrder } from "./api";
import { formFrame } from "./form-frame";
import { makeGeometryField } from "./geometry-field";
import { type OrderSeed, orderSeed, shownOrder } from "./open";
import { KINDS, PRIORITIES } from "./order-words";

const MOST_WORDS = 5000;
/** A layer of points: the place of an order is one. */
const POINTS = "sensors";

type Fields = Pick<Order, "title" | "description" | "kind" | "priority" | "assignee" | "due">;

function field(label: string, box: HTMLElement, hint = ""): HTMLElement {
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, label),
    box,
    h("span", { class: "soft field-hint" }, hint),
  );
}

/** Build the fields that an order has, new or old. */
function makeFields(first: Partial<Fields>): { element: HTMLElement; read: () => Fields | null } {
  const error = h("span", { class: "field-error", "aria-live": "polite" });
  const title = h("input", {
    class: "input",
    name: "title",
    maxlength: 200,
    autocomplete: "off",
    value: first.title ?? "",
  });
  const description = h("textarea", { class: "input", name: "description", rows: 3, maxlength: MOST_WORDS });
  description.value = first.description ?? "";
  let kind: OrderKind = first.kind ?? "repair";
  let priority: OrderPriority = first.priority ?? "normal";
  const kinds = select(
    t("work.orderKind"),
    KINDS.map((value) => ({ value, label: t(`work.do_${value}`) })),
    kind,
    (next) => {
      kind = next as OrderKind;
    },
  );
  const priorities = select(
    t("work.priority"),
    PRIORITIES.map((value) => ({ value, label: t(`work.priority_${value}`) })),
    priority,
    (next) => {
      priority = next as OrderPriority;
    },
  );
  const assignee = h("input", {
    class: "input",
    name: "assignee",
    maxlength: 100,
    autocomplete: "off",
    value: first.assignee ?? "",
  });
  const due = h("input", { class: "input", name: "due", type: "date", value: first.due ?? "" });
  const read = (): Fields | null => {
    const named = title.value.trim();
    error.textContent = named ? "" : t("scenario.required");
    title.setAttribute("aria-invalid", String(named === ""));
    if (!named) {
      title.focus();
      return null;
    }
    return {
      title: named,
      description: description.value.trim(),
      kind,
      priority,
      assignee: assignee.value.trim() || null,
      due: due.value || null,
    };
  };
  const element = h(
    "div",
    { class: "form" },
    h("div", {}, field(`${t("work.task")} *`, title), error),
    h("div", { class: "two-fields" }, field(t("work.orderKind"), kinds), field(t("work.priority"), priorities)),
    field(t("work.assignee"), assignee, t("work.assigneeHint")),
    field(t("work.due"), due),
    field(t("work.description"), description),
  );
  return { element, read };
}

function titleFor({ items = [] }: OrderSeed): string {
  const [first] = items;
  return first ? `${say(findVectorLayer(first.collection)?.title, first.collection)} ${first.feature}: ` : "";
}

/** Build the form of a new order. */
export function orderForm(map: MapView, back: () => void): HTMLElement {
  const seed = orderSeed();
  const items = seed.items ?? [];
  const fields = makeFields({
    title: seed.title ?? titleFor(seed),
    description: seed.description ?? "",
    ...(seed.priority ? { priority: seed.priority } : {}),
  });
  const said = h("div", { "aria-live": "polite" });
  let place: GeoJSON.Geometry | null = seed.position
    ? { type: "Point", coordinates: [seed.position.lon, seed.position.lat] }
    : null;
  // Where no item says the place, a point on the map does.
  const placing =
    items.length > 0
      ? null
      : makeGeometryField(map, POINTS, {
          get: () => place,
          set: (geometry) => {
            place = geometry;
          },
        });
  const leave = (): void => {
    placing?.stop();
    back();
  };
  const send = async (): Promise<void> => {
    const read = fields.read();
    if (!read) return;
    const [lon, lat] = place?.type === "Point" ? place.coordinates : [];
    replace(said, loading(t("work.saving")));
    try {
      const order = await sendOrder({
        ...read,
        items,
        ...(lon !== undefined && lat !== undefined ? { position: { lon, lat } } : {}),
        origin: seed.origin ?? "plan",
      });
      placing?.stop();
      notify(t("work.orderMade", { id: order.id }));
      shownOrder.set(String(order.id));
    } catch (error) {
      replace(said, failure(error));
    }
  };
  return formFrame(
    send,
    "",
    textButton(t("work.back"), leave, "button-small"),
    h("header", { class: "editor-head" }, h("h3", {}, t("work.newOrder"))),
    items.length > 0
      ? h("p", { class: "soft" }, `${t("work.about")} ${items.map(({ feature }) => feature).join(", ")}`)
      : h("p", { class: "soft" }, t("work.orderHint")),
    placing?.element,
    fields.element,
    said,
    h("button", { type: "submit", class: "button button-primary" }, t("work.makeOrder")),
  );
}

/** Build the form in which an order is changed; `done` gets it as it is then, or null when nothing was changed. */
export function changeForm(order: Order, done: (order: Order | null) => void): HTMLElement {
  const fields = makeFields(order);
  const said = h("div", { "aria-live": "polite" });
  const send = async (): Promise<void> => {
    const read = fields.read();
    if (!read) return;
    const changes = Object.fromEntries(
      Object.entries(read).filter(([name, value]) => order[name as keyof Order] !== value),
    );
    if (Object.keys(changes).length === 0) {
      done(null);
      return;
    }
    try {
      done(await changeOrder(order, changes, ""));
    } catch (error) {
      replace(said, failure(error));
    }
  };
  return formFrame(
    send,
    "",
    fields.element,
    said,
    h(
      "div",
      { class: "row" },
      h("button", { type: "submit", class: "button button-small button-primary" }, t("work.save")),
      textButton(t("app.cancel"), () => done(null), "button-small"),
    ),
  );
}
