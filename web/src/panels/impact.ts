/** What the water touches: by ward, depth, hazard, place and damage, and one by one. */

import { type Child, h, replace } from "../dom";
import { formatFixed, formatHours, formatShortDateTime } from "../format";
import { t } from "../i18n";
import { makeSlice } from "../slices";
import { openTable } from "../table/open";
import type { Item, ItemPage, Run, WardImpact, ZoomToItem } from "../types";
import { csvText, saveText } from "./csv";
import { exportLinks } from "./exports";
import { ASSETS, classTable, damageTable, layerTitle, peopleTables, placeTable, wardTable } from "./impact-tables";
import { makePager } from "./pager";
import { empty, section, select, textButton } from "./parts";
import { codeOrder, codeTitle, table } from "./table";

const PAGE = 20;

const VIEWS = ["ward", "class", "people", "places", "damage", "list"] as const;
type View = (typeof VIEWS)[number];

type Sort = "-depth_max" | "arrival" | "asset_name" | "-duration";
const SORTS: readonly Sort[] = ["-depth_max", "arrival", "-duration", "asset_name"];

interface Looked {
  view: View;
  layer: string;
  category: string;
  ward: string;
  sort: Sort;
}

/** What is looked at, in the link. */
const looked = makeSlice<Looked>(
  "hit",
  (text) => {
    const [view, layer = "", category = "", ward = "", sort] = (text ?? "").split(",").map((word) => word.trim());
    return {
      view: VIEWS.find((one) => one === view) ?? "ward",
      layer,
      category,
      ward,
      sort: SORTS.find((one) => one === sort) ?? "-depth_max",
    };
  },
  ({ view, layer, category, ward, sort }) =>
    view === "ward" ? null : [view, ...(view === "list" ? [layer, category, ward, sort] : [])].join(","),
);

const look = (change: Partial<Looked>): void => looked.set({ ...looked.get(), ...change });

function itemTable(page: ItemPage, wardNames: ReadonlyMap<string, string>, zoomToItem: ZoomToItem): HTMLElement {
  const row = (item: Item): Child[] => {
    const { asset_layer, asset_id, asset_name, depth_max, depth_class, arrival, ward_code, duration } = item.properties;
    const name = String(asset_name ?? asset_id);
    const depth = typeof depth_max === "number" ? `${formatFixed(depth_max, 2)} m` : "–";
    const go = (): void => zoomToItem(String(asset_layer), String(asset_id), item.geometry);
    return [
      h("button", { type: "button", class: "link-button asset-name", onclick: go }, name),
      depth,
      formatShortDateTime(arrival ? String(arrival) : null),
      typeof duration === "number" ? formatHours(duration / 3600) : "–",
      codeTitle(ASSETS, "depth_class", depth_class),
      wardNames.get(String(ward_code)) ?? String(ward_code ?? "–"),
    ];
  };
  const keys = ["asset", "depth", "arrival", "duration", "class", "ward"] as const;
  return table(
    keys.map((key) => t(`impact.${key}`)),
    page.features.map(row),
  );
}

/** What a list holds, as the server asks for it. */
function assetQuery(run: Run): Record<string, string> {
  const { layer, ward, category } = looked.get();
  return {
    run_id: run.id,
    asset_layer: layer,
    ...(ward ? { ward_code: ward } : {}),
    ...(category ? { category } : {}),
  };
}

/** The same as a condition for the attribute table. */
const assetFilter = (query: Record<string, string>): string =>
  Object.entries(query)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`)
    .join(" AND ");

/** Kinds of places that were counted, the gravest first; other layers have none to choose from. */
function categoriesOf(run: Run): string[] {
  if (looked.get().layer !== "places") return [];
  return (run.summary?.places ?? [])
    .map((one) => one.category)
    .sort((a, b) => codeOrder("places", "category", a) - codeOrder("places", "category", b));
}

function assetList(run: Run, zoomToItem: ZoomToItem): HTMLElement {
  // People of a population grid are counted and are no features.
  const touched = (run.summary?.affected ?? []).filter((entry) => entry.asset_layer !== "population");
  const layers = [...new Set(touched.map((entry) => entry.asset_layer))];
  if (layers.length === 0) return empty(t("impact.none"));
  if (!layers.includes(looked.get().layer))
    look({ layer: layers.includes("buildings") ? "buildings" : (layers[0] ?? ""), category: "" });
  const wards = (run.summary?.by_ward ?? []).map((ward) => ({
    value: ward.ward_code,
    label: ward.ward_name ?? ward.ward_code,
  }));
  if (!wards.some(({ value }) => value === looked.get().ward)) look({ ward: "" });
  const wardNames = new Map(wards.map(({ value, label }) => [value, label]));
  const pager = makePager((page) => itemTable(page, wardNames, zoomToItem), t("impact.none"));
  const choosers = h("div", { class: "form asset-choice" });
  const files = h("div");
  const field = (label: string, box: HTMLElement): HTMLElement =>
    h("label", { class: "field" }, h("span", { class: "field-label" }, label), box);
  const show = (): void => {
    const kinds = categoriesOf(run);
    if (!kinds.includes(looked.get().category)) look({ category: "" });
    const { layer, category, ward, sort } = looked.get();
    const change =
      (write: (value: string) => Partial<Looked>) =>
      (value: string): void => {
        look(write(value));
        show();
      };
    const all = { value: "", label: t("impact.all") };
    const layerBox = select(
      t("impact.layer"),
      layers.map((value) => ({ value, label: layerTitle(value) })),
      layer,
      change((value) => ({ layer: value, category: "" })),
    );
    const kindBox = select(
      t("impact.place"),
      [all, ...kinds.map((value) => ({ value, label: codeTitle("places", "category", value) }))],
      category,
      change((value) => ({ category: value })),
    );
    const wardBox = select(
      t("impact.ward"),
      [all, ...wards],
      ward,
      change((value) => ({ ward: value })),
    );
    const sortBox = select(
      t("impact.sort"),
      SORTS.map((value) => ({ value, label: t(`impactSort.${value.replace("-", "") as "arrival"}`) })),
      sort,
      change((value) => ({ sort: value as Sort })),
    );
    layerBox.name = "asset-layer";
    kindBox.name = "asset-category";
    wardBox.name = "asset-ward";
    sortBox.name = "asset-sort";
    const focused = choosers.querySelector<HTMLElement>(":focus")?.getAttribute("name");
    replace(
      choosers,
      field(t("impact.layer"), layerBox),
      kinds.length > 0 ? field(t("impact.place"), kindBox) : null,
      field(t("impact.ward"), wardBox),
      field(t("impact.sort"), sortBox),
    );
    if (focused) choosers.querySelector<HTMLElement>(`[name="${focused}"]`)?.focus();
    const query = assetQuery(run);
    pager.open(ASSETS, { ...query, sortby: sort, limit: String(PAGE) });
    replace(
      files,
      exportLinks(ASSETS, { ...query, sortby: sort }),
      textButton(
        t("impact.openTable"),
        () => openTable(ASSETS, { filter: assetFilter(query) }),
        "button-small",
        "table",
      ),
    );
  };
  show();
  return h("div", {}, choosers, pager.element, files);
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
  const byWard = (): HTMLElement =>
    h(
      "div",
      {},
      wardTable(wards, (code) => openList({ ward: code })),
      download(),
    );
  const download = (): HTMLElement =>
    textButton(t("impact.download"), () => saveSummary(run), "button-small", "download");
  const openList = (change: Partial<Looked>): void => {
    look({ view: "list", ...change });
    show();
    body.querySelector("select")?.focus();
  };
  const openPlaces = (category: string): void => openList({ layer: "places", category });
  const views: [View, string, boolean, () => HTMLElement | null][] = [
    ["ward", t("impact.byWard"), wards.length > 0, byWard],
    ["class", t("impact.byClass"), (summary.affected ?? []).length > 0, () => classTable(summary)],
    ["people", t("impact.byHazard"), peopleTables(summary) !== null, () => peopleTables(summary)],
    [
      "places",
      t("impact.byPlace"),
      (summary.places ?? []).length > 0,
      () => placeTable(summary.places ?? [], openPlaces),
    ],
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
    const [shown] = offered.filter(([value]) => value === looked.get().view);
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
            look({ view: value });
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
