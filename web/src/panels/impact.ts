/** What the water touches: by ward, by depth class, and one by one. */

import { readItems, readPage } from "../api";
import { findLayer, findVectorLayer } from "../data";
import { type Child, h, replace } from "../dom";
import { formatFixed, formatLength, formatNumber, formatProperty, formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import type { Item, ItemPage, Run, RunSummary, WardImpact, ZoomToItem } from "../types";
import { csvText, saveText } from "./csv";
import { empty, failure, loading, section, select, textButton } from "./parts";

const PAGE = 20;
const CSV_PAGE = 1000;
const ASSETS = "flood_assets";

type View = "ward" | "class" | "list";

let view: View = "ward";
let assetLayer = "";

function table(headings: string[], rows: Child[][]): HTMLElement {
  const cell = (child: Child, index: number): HTMLElement =>
    h(index === 0 ? "th" : "td", index === 0 ? { scope: "row" } : {}, child);
  return h(
    "div",
    { class: "table-holder", tabindex: 0 },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...headings.map((heading) => h("th", { scope: "col" }, heading)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))),
    ),
  );
}

function wardTable(wards: WardImpact[]): HTMLElement {
  const shown = [...wards].sort((a, b) => b.people - a.people || b.buildings - a.buildings);
  const rows = shown.map((ward) => [
    ward.ward_name ?? ward.ward_code,
    formatNumber(ward.people, 0),
    formatNumber(ward.buildings, 0),
    formatLength(ward.road_length),
    ward.depth_max === null ? "–" : `${formatFixed(ward.depth_max, 2)} m`,
    formatNumber(ward.lights, 0),
    formatNumber(ward.cabinets, 0),
    formatNumber(ward.pumps, 0),
  ]);
  const keys = ["ward", "people", "buildings", "roads", "depth", "lights", "cabinets", "pumps"] as const;
  return table(
    keys.map((key) => t(`impact.${key}`)),
    rows,
  );
}

const layerTitle = (id: string): string => say(findLayer(id)?.title, id);

function depthClass(value: unknown): string {
  const property = findVectorLayer(ASSETS)?.properties.find((entry) => entry.name === "depth_class");
  return property ? formatProperty(value, property) : String(value);
}

function depthClassOrder(value: string): number {
  const property = findVectorLayer(ASSETS)?.properties.find((entry) => entry.name === "depth_class");
  return property?.codes?.findIndex((code) => code.value === value) ?? 0;
}

function classTable(summary: Partial<RunSummary>): HTMLElement {
  const affected = [...(summary.affected ?? [])].sort(
    (a, b) =>
      a.asset_layer.localeCompare(b.asset_layer) || depthClassOrder(a.depth_class) - depthClassOrder(b.depth_class),
  );
  const rows = affected.map((entry) => [
    layerTitle(entry.asset_layer),
    depthClass(entry.depth_class),
    formatNumber(entry.count, 0),
    entry.length ? formatLength(entry.length) : "–",
    entry.people ? formatNumber(entry.people, 0) : "–",
  ]);
  const keys = ["layer", "class", "count", "length", "people"] as const;
  return table(
    keys.map((key) => t(`impact.${key}`)),
    rows,
  );
}

const nextLink = (page: ItemPage): string | undefined => page.links?.find((link) => link.rel === "next")?.href;

function itemTable(page: ItemPage, zoomToItem: ZoomToItem): HTMLElement {
  const row = (item: Item): Child[] => {
    const { asset_layer, asset_id, asset_name, depth_max, depth_class, arrival } = item.properties;
    const name = String(asset_name ?? asset_id);
    const depth = typeof depth_max === "number" ? `${formatFixed(depth_max, 2)} m` : "–";
    const go = (): void => zoomToItem(String(asset_layer), String(asset_id), item.geometry);
    return [
      h("button", { type: "button", class: "link-button", onclick: go }, name),
      depth,
      depthClass(depth_class),
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
  const layers = [...new Set((run.summary?.affected ?? []).map((entry) => entry.asset_layer))];
  if (layers.length === 0) return empty(t("impact.none"));
  if (!layers.includes(assetLayer)) assetLayer = layers.includes("buildings") ? "buildings" : layers[0]!;
  const holder = h("div");
  const progress = h("p", { class: "soft note", role: "status" });
  const trail: (string | null)[] = [null];

  const show = async (): Promise<void> => {
    const href = trail.at(-1);
    replace(holder, loading());
    try {
      const query = { run_id: run.id, asset_layer: assetLayer, limit: String(PAGE) };
      const page = href ? await readPage(href) : await readItems(ASSETS, query);
      const next = nextLink(page);
      const back = textButton(t("impact.previous"), () => move(() => trail.pop()), "button-small");
      const forward = textButton(t("impact.next"), () => move(() => trail.push(next ?? null)), "button-small");
      back.disabled = trail.length < 2;
      forward.disabled = !next;
      replace(
        holder,
        page.features.length === 0 ? empty(t("impact.none")) : itemTable(page, zoomToItem),
        h("div", { class: "pager" }, back, h("span", {}, t("impact.page", { page: trail.length })), forward),
      );
    } catch (error) {
      replace(
        holder,
        failure(error, () => void show()),
      );
    }
  };
  const move = (change: () => void): void => {
    change();
    void show();
  };
  const choices = layers.map((value) => ({ value, label: layerTitle(value) }));
  const chooser = select(t("impact.layer"), choices, assetLayer, (value) => {
    assetLayer = value;
    trail.splice(0, trail.length, null);
    void show();
  });
  void show();
  const save = textButton(
    t("impact.download"),
    () => void downloadAssets(run, assetLayer, progress),
    "button-small",
    "download",
  );
  return h("div", {}, h("div", { class: "row" }, chooser, save), progress, holder);
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
  const show = (): void => {
    const views: [View, string][] = [
      ["ward", t("impact.byWard")],
      ["class", t("impact.byClass")],
      ["list", t("impact.list")],
    ];
    const tab = ([value, label]: [View, string]): HTMLElement =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          "aria-controls": "impact-view",
          "aria-selected": String(view === value),
          class: "segment",
          onclick: () => {
            view = value;
            show();
          },
        },
        label,
      );
    replace(tabs, ...views.map(tab));
    const wards = summary.by_ward ?? [];
    if (view === "list") replace(body, assetList(run, zoomToItem));
    else if (view === "class")
      replace(body, (summary.affected ?? []).length > 0 ? classTable(summary) : empty(t("impact.none")));
    else if (wards.length === 0) replace(body, empty(t("impact.none")));
    else
      replace(
        body,
        wardTable(wards),
        textButton(t("impact.download"), () => saveSummary(run), "button-small", "download"),
      );
  };
  show();
  return section(t("impact.title"), tabs, body);
}
