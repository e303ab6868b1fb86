/** An issued message: as people read it, the chain it belongs to, who was told, how it goes on. */

import type { Map as MapView } from "maplibre-gl";
import { type Child, h, replace } from "../dom";
import { formatDateTime, formatShortDateTime } from "../format";
import { explain, say, t } from "../i18n";
import { drawNetwork } from "../map/network";
import { zoomTo } from "../map/pick";
import { openDialog } from "../panels/dialog";
import { notify } from "../panels/notice";
import { empty, failure, loading, section, textButton } from "../panels/parts";
import { table } from "../panels/table";
import { askWriter, NotWritten } from "../writing";
import {
  type Alert,
  type AlertWords,
  cancelAlert,
  type Delivery,
  readAlert,
  readAlerts,
  readDeliveries,
  retryDelivery,
  wantsName,
} from "./api";
import { kindBadge, levelBadge, modeBadge, modeBand } from "./marks";
import { page } from "./page";
import { saidPart } from "./said";

const AREA_COLOR = "#d63a3a";
const CHAIN = "200";

/** Draw the area of a message over the map. */
export function drawArea(map: MapView, area: GeoJSON.FeatureCollection | null): void {
  const features = (area?.features ?? []).map((one) => ({
    ...one,
    properties: { ...one.properties, color: AREA_COLOR },
  }));
  drawNetwork(map, features.length > 0 ? { features, tiles: [] } : null);
}

function chainPart(chain: Alert[], shown: string): HTMLElement {
  const rows = chain.map((one): Child[] => [
    one.identifier === shown
      ? h("strong", {}, t(`warning.kind${one.msgType}`))
      : h(
          "button",
          {
            type: "button",
            class: "link-button",
            onclick: () => page.set({ at: "alert", identifier: one.identifier }),
          },
          t(`warning.kind${one.msgType}`),
        ),
    formatShortDateTime(one.sent),
    levelBadge(one.level),
    say(one.headline),
  ]);
  return section(
    t("warning.chain"),
    table([t("warning.kind"), t("warning.sent"), t("warning.level"), t("warning.headline")], rows),
  );
}

function deliveriesPart(deliveries: Delivery[], again: () => void): HTMLElement {
  if (deliveries.length === 0) return empty(t("warning.noDeliveries"));
  const problem = h("p", { class: "field-error", role: "status" });
  const retry = async (id: string): Promise<void> => {
    try {
      await retryDelivery(id);
      again();
    } catch (error) {
      if (!(error instanceof NotWritten)) problem.textContent = explain(error);
    }
  };
  const rows = deliveries.map((one): Child[] => [
    `${one.group} · ${one.channel}`,
    one.state === "dead"
      ? h(
          "span",
          { class: "two-lines" },
          t("delivery.dead"),
          textButton(t("warning.retry"), () => void retry(one.id), "button-small"),
        )
      : t(`delivery.${one.state as "waiting"}`),
    String(one.attempts),
    formatShortDateTime(one.settled ?? one.due),
    one.error ?? "–",
  ]);
  return h(
    "div",
    {},
    table(
      [t("warning.channel"), t("warning.state"), t("warning.attempts"), t("warning.when"), t("warning.error")],
      rows,
    ),
    problem,
  );
}

/** Ask why, and end the chain. */
function openCancel(alert: AlertWords): void {
  openDialog(t("warning.cancelTitle"), (close) => {
    const problem = h("p", { class: "field-error", role: "alert" });
    const why = h("textarea", { class: "input", rows: 3, maxlength: 500, required: true, name: "cancel-reason" });
    const send = async (): Promise<void> => {
      if (!why.value.trim()) {
        problem.textContent = t("warning.needReason");
        why.focus();
        return;
      }
      try {
        const ended = await cancelAlert(alert.identifier, why.value.trim().replace(/\s+/g, " "));
        close();
        notify(t("warning.cancelled"));
        page.set({ at: "alert", identifier: ended.identifier });
      } catch (error) {
        problem.textContent = explain(error);
      }
    };
    return h(
      "div",
      { class: "form" },
      modeBand(alert.status),
      h("p", {}, say(alert.headline)),
      h("label", { class: "field" }, h("span", { class: "field-label" }, t("warning.reason")), why),
      problem,
      h(
        "div",
        { class: "dialog-actions" },
        textButton(t("app.cancel"), close),
        textButton(t("warning.sendCancel"), () => void send(), "button-danger"),
      ),
    );
  });
}

function build(map: MapView, alert: AlertWords, chain: Alert[]): HTMLElement {
  const newest = chain[0]?.identifier === alert.identifier;
  const open = chain[0]?.msgType !== "Cancel" && Date.parse(chain[0]?.expires ?? "") > Date.now();
  const deliveries = h("div", { "aria-live": "polite" }, loading());
  const showDeliveries = async (): Promise<void> => {
    try {
      replace(
        deliveries,
        deliveriesPart(await readDeliveries(alert.identifier), () => void showDeliveries()),
      );
    } catch (error) {
      const name = async (): Promise<void> => {
        if (await askWriter()) await showDeliveries();
      };
      replace(
        deliveries,
        wantsName(error)
          ? empty(
              h("p", {}, t("warning.onlyWriters")),
              textButton(t("warning.sayName"), () => void name(), "button-small"),
            )
          : failure(error, () => void showDeliveries()),
      );
    }
  };
  void showDeliveries();
  const area: GeoJSON.GeometryCollection = {
    type: "GeometryCollection",
    geometries: (alert.area?.features ?? []).map((one) => one.geometry),
  };
  return h(
    "div",
    { class: "form" },
    modeBand(alert.status, alert.note ? ` · ${alert.note}` : null),
    h("div", { class: "row row-wrap" }, modeBadge(alert.status), levelBadge(alert.level), kindBadge(alert.msgType)),
    h(
      "dl",
      { class: "properties" },
      h(
        "div",
        { class: "property" },
        h("dt", {}, t("warning.identifier")),
        h("dd", { class: "identifier" }, alert.identifier),
      ),
      h("div", { class: "property" }, h("dt", {}, t("warning.sent")), h("dd", {}, formatDateTime(alert.sent))),
      h("div", { class: "property" }, h("dt", {}, t("warning.expires")), h("dd", {}, formatDateTime(alert.expires))),
    ),
    h(
      "div",
      { class: "row row-wrap" },
      open && newest
        ? textButton(
            t("warning.update"),
            () => page.set({ at: "update", identifier: alert.identifier }),
            "button-small button-primary",
          )
        : null,
      open && newest ? textButton(t("warning.cancel"), () => openCancel(alert), "button-small button-danger") : null,
      textButton(t("card.zoom"), () => zoomTo(map, area), "button-small", "target"),
      h(
        "a",
        { class: "button button-small", href: alert.href, target: "_blank", rel: "noopener" },
        t("warning.openXml"),
      ),
    ),
    open ? null : h("p", { class: "soft" }, t("warning.isOver")),
    saidPart(alert.infos, alert.area, alert.status, alert.level),
    chainPart(chain, alert.identifier),
    section(t("warning.outbox"), deliveries),
  );
}

/** Build the page of a message. */
export function messagePage(map: MapView, identifier: string): HTMLElement {
  const body = h("div", { "aria-live": "polite" }, loading());
  const load = async (): Promise<void> => {
    replace(body, loading());
    try {
      const alert = await readAlert(identifier);
      const chain = await readAlerts({ chain: alert.chain, limit: CHAIN });
      if (!body.isConnected) return;
      replace(body, build(map, alert, chain));
      drawArea(map, alert.area);
    } catch (error) {
      replace(
        body,
        failure(error, () => void load()),
      );
    }
  };
  void load();
  return h(
    "div",
    { class: "form" },
    textButton(t("warning.back"), () => page.set({ at: "list" }), "button-small"),
    body,
  );
}
