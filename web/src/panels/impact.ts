/** What the water touches: by ward, depth, hazard, place and damage, and one by one. */

import { readItems, readPage } from "../api";
import { type Child, h, replace } from "../dom";
import { formatFixed, formatNumber, formatShortDateTime } from "../format";
import { t } from "../i18n";
import type { Item, ItemPage, Run, WardImpact, ZoomToItem } from "../types";
import { csvText, saveText } from "./csv";
import { ASSETS, classTable, damageTable, layerTitle, peopleTables, placeTable, wardTable } from "./impact-tables";
import { makePager, nextLink } from "./pager";
import { empty, failure, section, select, textButton } from "./parts";
import { codeTitle, table } from "./table";

const PAGE = 20;
const CSV_PAGE = 1000;

type View = "ward" | "class" | "people" | "places" | "damage" | "list";

let view: View = "ward";
let assetLayer = "";

function itemTable(page: ItemPage, zoomToItem: ZoomToItem): HTMLElement {
  const row = (item: Item): Child[] => {
    const { asset_layer, asset_id, asset_name, depth_max, depth_class, arrival } = item.properties;
    const name = String(asset_name ?? asset_id);
    const depth = typeof depth_max === "number" ? `${formatFixed(depth_max, 2)} m` : "–";
    const go = (): void => zoomToItem(String(asset_layer), String(asset_id), item.geometry);
    return [
      h("button", { type: "button", class: "link-button", onclick: go }, name),
      depth,
      codeTitle(ASSETS, "depth_class", depth_class),
      formatShortDateTime(arrival ? String(arrival) : null),
    ];
  };
  const keys = ["asset", "depth", "class", "arrival"] as const;
  return table(
    keys.map((key) => t(`impact.${key}`)),
    page.features.map(row),
  );
}

async function downloadAssets(run: Run, layer: string, progress: HTMLElement): Promise<void> {
  const items: Item[] = [];
  try {
    let page = await readItems(ASSETS, { run_id: run.id, asset_layer: layer, limit: String(CSV_PAGE) });
    for (;;) {
      items.push(...page.features);
      progress.textContent = t("impact.downloading", { count: formatNumber(items.length, 0) });
      const next = nextLink(page);
      if (!next || page.features.length === 0) break;
      page = await readPage(next);
    }
    const columns = [...new Set(items.flatMap((item) => Object.keys(item.properties)))];
    const rows = items.map((item) => [item.id, ...columns.map((column) => item.properties[column])]);
    saveText(`${run.id}-${layer}.csv`, csvText([["id", ...columns], ...rows]));
    progress.textContent = "";
  } catch (error) {
    replace(progress, failure(error));
  }
}

function assetList(run: Run, zoomToItem: ZoomToItem): HTMLElement {
  // People of a population grid are counted and are no features.
  const touched = (run.summary?.affected ?? []).filter((entry) => entry.asset_layer !== "population");
  const layers = [...new Set(touched.map((entry) => entry.asset_layer))];
  if (layers.length === 0) return empty(t("impact.none"));
  if (!layers.includes(assetLayer)) assetLayer = layers.includes("buildings") ? "buildings" : layers[0]!;
  const progress = h("p", { class: "soft note", role: "status" });
  const pager = makePager((page) => itemTable(page, zoomToItem), t("impact.none"));
  const show = (): void => pager.open(ASSETS, { run_id: run.id, asset_layer: assetLayer, limit: String(PAGE) });
  const choices = layers.map((value) => ({ value, label: layerTitle(value) }));
  const chooser = select(t("impact.layer"), choices, assetLayer, (value) => {
    assetLayer = value;
    show();
  });
  show();
  const save = textButton(
    t("impact.download"),
    () => void downloadAssets(run, assetLayer, progress),
    "button-small",
    "download",
  );
  return h("div", {}, h("div", { class: "row" }, chooser, save), progress, pager.element);
}

function saveSummary(run: Run): void {
  const rows = run.summary?.by_ward ?? [];
  const columns = Object.keys(rows[0] ?? {}) as (keyof WardImpact)[];
  saveText(`${run.id}-wards.csv`, csvText([columns, ...rows.map((row) => columns.map((column) => row[column]))]));
}

/** Build the tables of a run. */
export function impactPart(run: Run, zoomToItem: ZoomToItem): HTMLElement {
  const summary = run.summary ?? {};
  const body = h("div", { id: "impact-view", role: "tabpanel" });
  const tabs = h("div", { class: "segments", role: "tablist" });
  const wards = summary.by_ward ?? [];
  const byWard = (): HTMLElement => h("div", {}, wardTable(wards), download());
  const download = (): HTMLElement =>
    textButton(t("impact.download"), () => saveSummary(run), "button-small", "download");
  const views: [View, string, boolean, () => HTMLElement | null][] = [
    ["ward", t("impact.byWard"), wards.length > 0, byWard],
    ["class", t("impact.byClass"), (summary.affected ?? []).length > 0, () => classTable(summary)],
    ["people", t("impact.byHazard"), peopleTables(summary) !== null, () => peopleTables(summary)],
    ["places", t("impact.byPlace"), (summary.places ?? []).length > 0, () => placeTable(summary.places ?? [])],
    [
      "damage",
      t("impact.damage"),
      (summary.damage?.classes ?? []).length > 0,
      () => (summary.damage ? damageTable(summary.damage) : null),
    ],
    ["list", t("impact.list"), true, () => assetList(run, zoomToItem)],
  ];
  const offered = views.filter(([, , isThere]) => isThere);
  if (offered.length === 1) return section(t("impact.title"), empty(t("impact.none")));
  const show = (): void => {
    const [shown] = offered.filter(([value]) => value === view);
    const [active, , , build] = shown ?? offered[0]!;
    const tab = ([value, label]: [View, string, ...unknown[]]): HTMLElement =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          "aria-controls": "impact-view",
          "aria-selected": String(active === value),
          class: "segment",
          onclick: () => {
            view = value;
            show();
          },
        },
        label,
      );
    replace(tabs, ...offered.map(tab));
    replace(body, build());
  };
  show();
  return section(t("impact.title"), tabs, body);
}
