/** What is hit in one ward: the likely and the high flood side by side, and the things one by one. */

import { type Child, h } from "../dom";
import { formatFixed, formatLength, formatNumber } from "../format";
import { t } from "../i18n";
import { ASSETS, layerTitle } from "../panels/impact-tables";
import { makePager } from "../panels/pager";
import { select, textButton } from "../panels/parts";
import { codeTitle, table } from "../panels/table";
import type { ItemPage, RunSummary, WardCounts, WardOutlook, ZoomToItem } from "../types";
import { formatWhen } from "./ages";
import { sayHours } from "./hours";
import { sayTimes } from "./ward-list";

const PAGE = 10;

function countsTable({ likely, possible }: WardOutlook): HTMLElement {
  const number =
    (name: keyof Omit<WardCounts, "depth_class">) =>
    (counts: WardCounts): string =>
      formatNumber(counts[name], 0);
  const rows: [string, (counts: WardCounts) => string][] = [
    [t("impact.depth"), (counts) => `${formatFixed(counts.depth_max, 2)} m`],
    [t("impact.people"), number("people")],
    [t("impact.buildings"), number("buildings")],
    [t("impact.roads"), (counts) => formatLength(counts.road_length)],
    [t("impact.closed"), (counts) => formatLength(counts.closed_road_length)],
    [t("ward.hospitalsShort"), number("hospitals")],
    [t("ward.schoolsShort"), number("schools")],
    [t("impact.places"), number("places")],
    [t("impact.cabinets"), number("cabinets")],
    [t("impact.pumps"), number("pumps")],
  ];
  return table(
    [t("ward.what"), t("ward.likely"), t("ward.possible")],
    rows.map(([title, write]): Child[] => [title, write(likely), write(possible)]),
  );
}

function itemRows(page: ItemPage, zoomToItem: ZoomToItem): HTMLElement {
  const rows = page.features.map((item): Child[] => {
    const { asset_layer, asset_id, asset_name, category, depth_max, depth_class, arrival } = item.properties;
    const layer = String(asset_layer);
    const kind = layer === "places" && category ? ` (${codeTitle("places", "category", category)})` : "";
    return [
      h(
        "button",
        {
          type: "button",
          class: "link-button",
          onclick: () => zoomToItem(layer, String(asset_id), item.geometry),
        },
        `${asset_name ?? asset_id}${kind}`,
      ),
      typeof depth_max === "number" ? `${formatFixed(depth_max, 2)} m` : "–",
      codeTitle(ASSETS, "depth_class", depth_class),
      formatWhen(arrival ? String(arrival) : null),
    ];
  });
  return table([t("impact.asset"), t("impact.depth"), t("impact.class"), t("impact.arrival")], rows);
}

/** The list of what the likely flood touches in the ward, a layer at a time; places with hospitals first. */
function itemsPart(run: string, ward: string, summary: Partial<RunSummary>, zoomToItem: ZoomToItem): HTMLElement {
  const layers = [...new Set((summary.affected ?? []).map((entry) => entry.asset_layer))].filter(
    (layer) => layer !== "population",
  );
  layers.sort((a, b) => Number(b === "places") - Number(a === "places"));
  if (layers.length === 0) return h("p", { class: "soft" }, t("impact.none"));
  const pager = makePager((page) => itemRows(page, zoomToItem), t("ward.noneHere"));
  const open = (layer: string): void =>
    pager.open(ASSETS, { run_id: run, asset_layer: layer, ward_code: ward, limit: String(PAGE), sortby: "-depth_max" });
  const choices = layers.map((value) => ({ value, label: layerTitle(value) }));
  open(layers[0]!);
  return h("div", {}, select(t("impact.layer"), choices, layers[0]!, open), pager.element);
}

/** Build the page of a ward. */
export function wardDetail(
  run: { id: string; base: string; summary: Partial<RunSummary> },
  ward: WardOutlook,
  zoomToItem: ZoomToItem,
  back: () => void,
): HTMLElement {
  return h(
    "div",
    { class: "ward-detail", "data-ward-detail": ward.ward_code },
    textButton(t("ward.back"), back, "button-small"),
    h("h3", { tabindex: -1 }, ward.ward_name),
    h("p", {}, sayTimes(ward)),
    h("p", { class: "soft note" }, sayHours(ward.hours, run.base)),
    countsTable(ward),
    h("p", { class: "soft note" }, t("ward.twoFloods")),
    h("h4", { class: "part-title" }, t("ward.hit")),
    itemsPart(run.id, ward.ward_code, run.summary, zoomToItem),
  );
}
