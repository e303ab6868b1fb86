/** The sheet that goes to the field: the task, the item, the map, room for what was done. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer, getCity } from "../data";
import { h } from "../dom";
import { formatDateTime, formatProperty } from "../format";
import { say, t } from "../i18n";
import { takePicture } from "../map/view";
import type { Item } from "../types";
import type { Order } from "./api";
import { formatDate } from "./order-words";

const row = (name: string, value: string): HTMLElement =>
  h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value));

/** Print an order with the map as it is seen now. */
export async function printSheet(map: MapView, order: Order, item: Item | null): Promise<void> {
  const picture = await takePicture(map);
  const [first] = order.items;
  const layer = first ? findVectorLayer(first.collection) : undefined;
  const properties = layer?.properties.filter(({ name }) => (item?.properties[name] ?? null) !== null) ?? [];
  const place = order.position;
  const sheet = h(
    "section",
    { class: "job-sheet" },
    h("p", {}, `${say(getCity().title)} · ${formatDateTime(new Date())}`),
    h("h1", {}, `${t("work.sheetTitle")} #${order.id}`),
    h("h2", {}, order.title),
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        row(t("work.orderKind"), t(`work.do_${order.kind}`)),
        row(t("work.priority"), t(`work.priority_${order.priority}`)),
        row(t("work.assignee"), order.assignee ?? ""),
        row(t("work.due"), order.due ? formatDate(order.due) : ""),
        row(t("work.place"), place ? `${place.lat.toFixed(6)}, ${place.lon.toFixed(6)}` : ""),
        row(t("work.description"), order.description),
      ),
    ),
    h("img", { src: picture, alt: t("work.sheetMap"), class: "sheet-map" }),
    first ? h("h2", {}, `${say(layer?.title, first.collection)} ${first.feature}`) : null,
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        ...properties.map((property) =>
          row(say(property.title), formatProperty(item?.properties[property.name], property)),
        ),
      ),
    ),
    h("h2", {}, t("work.sheetDone")),
    h("div", { class: "sheet-room" }),
    h("p", { class: "sheet-signs" }, h("span", {}, t("work.sheetBy")), h("span", {}, t("work.sheetAccepted"))),
  );
  document.body.append(sheet);
  document.documentElement.classList.add("printing-sheet");
  const clear = (): void => {
    document.documentElement.classList.remove("printing-sheet");
    sheet.remove();
  };
  window.addEventListener("afterprint", clear, { once: true });
  await sheet
    .querySelector("img")
    ?.decode()
    .catch(() => undefined);
  window.print();
}
