/** What can be done with an item: follow its network, go from or to it, copy what names it, read it in the API. */

import { h } from "../dom";
import { t } from "../i18n";
import { writeLink } from "../link";
import { boundsOf } from "../map/pick";
import { findCommodity, type Kind, kindsOf } from "../networks/commodities";
import { askAbout } from "../networks/form";
import { textButton } from "../panels/parts";
import { getState, type Selection, setState } from "../state";
import { copyText } from "../tools/copy";
import type { Item } from "../types";

const PRECISION = 6;

/** What can be asked of the network that a feature takes part in. */
function networkButtons(item: Item, { layer, id }: Selection): HTMLElement[] {
  const commodity = findCommodity(layer, item.properties);
  if (!commodity) return [];
  const kinds = (["upstream", "downstream", "isolation"] as const).filter((kind) => kindsOf(commodity).includes(kind));
  return kinds.map((kind: Kind) =>
    textButton(t(`trace.${kind}`), () => askAbout(commodity, kind, `${layer}/${id}`), "button-small"),
  );
}

/** Return the place of an item as the roads are asked: a point, else the middle of its box. */
function placeOf(geometry: GeoJSON.Geometry): string {
  const [west, south, east, north] = boundsOf(geometry);
  return `${((west + east) / 2).toFixed(PRECISION)},${((south + north) / 2).toFixed(PRECISION)}`;
}

/** Ask the roads for a way that begins or ends at an item; the other end stays as it was. */
function goBy(geometry: GeoJSON.Geometry, end: "from" | "to"): void {
  const { journey } = getState();
  const place = placeOf(geometry);
  const rest = end === "from" ? journey.points.slice(1) : journey.points.slice(0, 1);
  const points = end === "from" ? [place, ...rest] : [...rest, place];
  setState({ journey: { ...journey, points }, tab: "traffic", traffic: "route", panelOpen: true });
}

/** Build the buttons of what can be asked about an item. */
export function actionRow(item: Item, selection: Selection): HTMLElement | null {
  const { geometry } = item;
  const buttons = [
    ...networkButtons(item, selection),
    ...(geometry
      ? [
          textButton(t("item.from"), () => goBy(geometry, "from"), "button-small"),
          textButton(t("item.to"), () => goBy(geometry, "to"), "button-small"),
        ]
      : []),
  ];
  if (buttons.length === 0) return null;
  return h("div", { class: "row card-actions", role: "group", "aria-label": t("item.follow") }, ...buttons);
}

/** Build the buttons of what names an item elsewhere. */
export function namingRow({ layer, id }: Selection): HTMLElement {
  const href = `/api/collections/${encodeURIComponent(layer)}/items/${encodeURIComponent(id)}?f=html`;
  return h(
    "div",
    { class: "row card-actions card-naming", role: "group", "aria-label": t("item.naming") },
    textButton(t("item.copyId"), () => void copyText(id), "button-small", "copy"),
    textButton(t("item.copyLink"), () => void copyText(writeLink()), "button-small", "link"),
    h("a", { class: "button button-small", href, target: "_blank", rel: "noopener" }, t("item.api")),
  );
}
