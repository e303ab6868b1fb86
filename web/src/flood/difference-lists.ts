/** What is under water in only one of two floods, one by one: newly flooded and freed. */

import { readItems, readPage } from "../api";
import { type Child, h, replace } from "../dom";
import { formatFixed, formatNumber } from "../format";
import { t } from "../i18n";
import { csvText, saveText } from "../panels/csv";
import { ASSETS, layerTitle } from "../panels/impact-tables";
import { itemButton } from "../panels/item-button";
import { nextLink } from "../panels/pager";
import { empty, failure, loading, select, textButton } from "../panels/parts";
import { codeTitle, table } from "../panels/table";
import type { Item, Run, ZoomToItem } from "../types";

const PAGE = 20;
const READ_AT_ONCE = "5000";
const COLUMNS = "asset_id,asset_name,category,depth_max,ward_code,people";
/** Worst first: what people ask for at night. */
const FIRST = ["buildings", "places", "road_links"];

interface Asset {
  id: string;
  name: string;
  depth: number | null;
  ward: string;
  category: string;
}

function readAsset({ properties }: Item): Asset {
  const { asset_id, asset_name, depth_max, ward_code, category } = properties;
  return {
    id: String(asset_id),
    name: String(asset_name ?? asset_id),
    depth: typeof depth_max === "number" ? depth_max : null,
    ward: String(ward_code ?? ""),
    category: String(category ?? ""),
  };
}

/** Return the touched assets of a layer, page by page; `tell` hears how many have come. */
async function readAssets(run: string, layer: string, tell: (count: number) => void): Promise<Map<string, Asset>> {
  const found = new Map<string, Asset>();
  let page = await readItems(ASSETS, {
    run_id: run,
    asset_layer: layer,
    properties: COLUMNS,
    skipGeometry: "true",
    limit: READ_AT_ONCE,
  });
  for (;;) {
    for (const item of page.features) {
      const asset = readAsset(item);
      found.set(asset.id, asset);
    }
    tell(found.size);
    const next = nextLink(page);
    if (!next || page.features.length === 0) return found;
    page = await readPage(next);
  }
}

const missingIn = (some: Map<string, Asset>, others: Map<string, Asset>): Asset[] =>
  [...some.values()].filter(({ id }) => !others.has(id)).sort((a, b) => (b.depth ?? 0) - (a.depth ?? 0));

/** A list of which a page is shown at a time. */
function pagedList(
  title: string,
  file: string,
  layer: string,
  assets: Asset[],
  wardNames: Map<string, string>,
  zoomToItem: ZoomToItem,
): HTMLElement {
  const body = h("div");
  const problem = h("div");
  let first = 0;
  const show = (): void => {
    const rows = assets
      .slice(first, first + PAGE)
      .map((asset): Child[] => [
        itemButton(layer, asset.id, zoomToItem, problem, asset.name),
        asset.depth === null ? "–" : `${formatFixed(asset.depth, 2)} m`,
        wardNames.get(asset.ward) ?? (asset.ward || "–"),
        asset.category ? codeTitle(layer, layer === "buildings" ? "use" : "category", asset.category) : "–",
      ]);
    const back = textButton(t("impact.previous"), () => turn(-PAGE), "button-small");
    const forward = textButton(t("impact.next"), () => turn(PAGE), "button-small");
    back.disabled = first === 0;
    forward.disabled = first + PAGE >= assets.length;
    replace(
      body,
      table([t("impact.asset"), t("impact.depth"), t("impact.ward"), t("difference.category")], rows),
      assets.length > PAGE
        ? h("div", { class: "pager" }, back, h("span", {}, t("impact.page", { page: first / PAGE + 1 })), forward)
        : null,
    );
  };
  const turn = (by: number): void => {
    first += by;
    show();
  };
  const save = (): void =>
    saveText(
      `${file}.csv`,
      csvText([
        ["id", "name", "category", "depth_max_m", "ward_code"],
        ...assets.map((one) => [one.id, one.name, one.category, one.depth, one.ward]),
      ]),
    );
  if (assets.length > 0) show();
  return h(
    "div",
    { class: "section" },
    h("h4", { class: "part-title" }, `${title} (${formatNumber(assets.length, 0)})`),
    assets.length > 0 ? body : empty(t("difference.nothing")),
    problem,
    assets.length > 0 ? textButton(t("impact.download"), save, "button-small", "download") : null,
  );
}

/** Build the lists with the choice of a layer. */
export function changedLists(before: Run, after: Run, zoomToItem: ZoomToItem): HTMLElement {
  const layers = [
    ...new Set([before, after].flatMap((run) => (run.summary?.affected ?? []).map((one) => one.asset_layer))),
  ]
    .filter((layer) => layer !== "population")
    .sort((a, b) => ((FIRST.indexOf(a) + 99) % 99) - ((FIRST.indexOf(b) + 99) % 99));
  if (layers.length === 0) return empty(t("impact.none"));
  const names = new Map(
    [before, after].flatMap((run) =>
      (run.summary?.by_ward ?? []).map((ward): [string, string] => [ward.ward_code, ward.ward_name ?? ward.ward_code]),
    ),
  );
  const body = h("div", { "aria-live": "polite" });
  let chosen = layers[0] as string;
  let asked = 0;
  const load = async (): Promise<void> => {
    const ticket = ++asked;
    const layer = chosen;
    const wait = loading(t("difference.reading"));
    replace(body, wait);
    try {
      const tell = (count: number): void => {
        if (ticket === asked) wait.lastChild!.textContent = t("impact.downloading", { count: formatNumber(count, 0) });
      };
      const [old, now] = await Promise.all([readAssets(before.id, layer, tell), readAssets(after.id, layer, tell)]);
      if (ticket !== asked) return;
      const file = `${before.id}-${after.id}-${layer}`;
      replace(
        body,
        pagedList(t("difference.newly"), `${file}-newly-flooded`, layer, missingIn(now, old), names, zoomToItem),
        pagedList(t("difference.freed"), `${file}-freed`, layer, missingIn(old, now), names, zoomToItem),
      );
    } catch (error) {
      if (ticket === asked)
        replace(
          body,
          failure(error, () => void load()),
        );
    }
  };
  const box = select(
    t("impact.layer"),
    layers.map((value) => ({ value, label: layerTitle(value) })),
    chosen,
    (layer) => {
      chosen = layer;
      void load();
    },
  );
  void load();
  return h(
    "div",
    {},
    h("label", { class: "field" }, h("span", { class: "field-label" }, t("impact.layer")), box),
    body,
  );
}
