/** What unfolds below a layer: what it is, what can be done with it, legend, filter, where it comes from. */

import type { Map as MapView } from "maplibre-gl";
import { getCity, isEmpty, isPerRun, shownRaster } from "../data";
import { type Child, h } from "../dom";
import { formatDateTime } from "../format";
import { addWords, explain, say, t } from "../i18n";
import { tableEn } from "../i18n/table-en";
import { tableVi } from "../i18n/table-vi";
import { zoomToBounds } from "../map/pick";
import { filterOf } from "../map/tile-query";
import { notify } from "../panels/notice";
import { textButton } from "../panels/parts";
import { openTable } from "../table/open";
import type { Layer } from "../types";
import { filterForm } from "./filter-form";
import { layerLegend } from "./legend";
import { metadataPart } from "./metadata";
import { opacityField } from "./opacity-field";
import { shownRun } from "./run-of";

// The fields of a condition are those of the table.
addWords({ vi: tableVi, en: tableEn });

type Box = [number, number, number, number];

function boundsOf(layer: Layer): Box | null {
  if (layer.kind === "vector") return layer.bounds;
  return isPerRun(layer) ? (shownRaster()?.bounds ?? null) : getCity().bounds;
}

function openLinks(layer: string): void {
  import("../overlays/dialog").then(
    (dialog) => dialog.openOverlayLinks(layer),
    (error: unknown) => notify(explain(error)),
  );
}

function actions(map: MapView, layer: Layer): HTMLElement {
  const bounds = boundsOf(layer);
  const openRows = (): void => {
    if (layer.kind !== "vector") return;
    const filter = filterOf(layer);
    openTable(layer.id, filter ? { filter } : {});
  };
  return h(
    "div",
    { class: "row", role: "group", "aria-label": say(layer.title) },
    bounds ? textButton(t("tree.zoom"), () => zoomToBounds(map, bounds), "button-small", "target") : null,
    layer.kind === "vector" ? textButton(t("tree.table"), openRows, "button-small", "table") : null,
    isPerRun(layer) ? null : textButton(t("tool.links"), () => openLinks(layer.id), "button-small", "link"),
  );
}

/** Say which run a layer shows, where runs make it. */
function runLine(layer: Layer): HTMLElement | null {
  const run = shownRun(layer);
  if (run === undefined) return null;
  if (run === null) return h("p", { class: "soft" }, isPerRun(layer) ? t("layers.perRun") : t("tree.noRun"));
  const when = formatDateTime(run.base_time ?? run.created);
  return h("p", { class: "layer-run" }, t("tree.ofRun", { run: say(run.title, run.process), time: when }));
}

function fold(title: string, open: boolean, ...children: Child[]): HTMLElement {
  return h("details", { class: "fold", open }, h("summary", {}, title), ...children);
}

/** Build the details of a layer. */
export function layerDetails(map: MapView, layer: Layer): HTMLElement {
  const nothing = isEmpty(layer);
  const isVector = layer.kind === "vector";
  return h(
    "div",
    { class: "details" },
    h("p", { class: "soft" }, say(layer.description)),
    isVector && layer.min_zoom > 11 ? h("p", { class: "soft" }, t("layers.minZoom", { zoom: layer.min_zoom })) : null,
    runLine(layer),
    nothing ? null : actions(map, layer),
    nothing ? null : opacityField(map, layer),
    layerLegend(map, layer),
    isVector && !nothing ? fold(t("tree.filter"), filterOf(layer) !== null, filterForm(map, layer)) : null,
    fold(t("tree.about"), false, metadataPart(layer)),
  );
}
