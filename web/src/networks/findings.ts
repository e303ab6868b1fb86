/** Faults of a network: how many of each kind, each with its place and how it is mended. */

import { readRun } from "../api";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatNumber, formatShare } from "../format";
import { say, t } from "../i18n";
import { makePager } from "../panels/pager";
import { empty, figure, section, select, swatch } from "../panels/parts";
import { codeTitle } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState } from "../state";
import type { Item, ItemPage, Run, ZoomToItem } from "../types";
import { COMMODITIES, type Commodity } from "./commodities";
import { roleColor } from "./drawing";
import { makeStarter } from "./job";
import { downloads } from "./members";
import { makeRunPage } from "./run-page";
import { showRunLayers } from "./runs";

const LAYER = "network_findings";
const PAGE = 20;

/** What the check says of the network as a whole. */
interface CheckSummary {
  commodity: string;
  lines: number;
  parts: number;
  largest_share: number;
  counts: Record<string, number>;
}

function findingRow(item: Item, zoomToItem: ZoomToItem): HTMLElement {
  const { layer_id, item_id, fix_vi, fix_en, kind, severity, other_items } = item.properties;
  const name = item_id ? String(item_id) : codeTitle(LAYER, "kind", kind);
  const of = layer_id ? say(findVectorLayer(String(layer_id))?.title, String(layer_id)) : "";
  const go = (): void =>
    zoomToItem(layer_id ? String(layer_id) : LAYER, item_id ? String(item_id) : item.id, item.geometry);
  return h(
    "li",
    { class: "finding" },
    h(
      "span",
      { class: "row" },
      swatch(roleColor(LAYER, kind), "circle"),
      h("button", { type: "button", class: "link-button", onclick: go }, name),
      h("span", { class: "soft" }, [of, codeTitle(LAYER, "severity", severity)].filter(Boolean).join(" · ")),
    ),
    h("span", {}, say({ vi: String(fix_vi ?? ""), en: String(fix_en ?? fix_vi ?? "") })),
    other_items ? h("span", { class: "soft" }, String(other_items)) : null,
  );
}

function findingsBody(run: Run, zoomToItem: ZoomToItem): HTMLElement {
  const summary = run.summary as Partial<CheckSummary> | null;
  const counts = Object.entries(summary?.counts ?? {}).sort(([, a], [, b]) => b - a);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const list = (page: ItemPage): HTMLElement =>
    h("ul", { class: "plain-list" }, ...page.features.map((item) => findingRow(item, zoomToItem)));
  const pager = makePager(list, t("findings.none"));
  const files = h("div");
  const kinds = h("ul", { class: "kinds", role: "group", "aria-label": t("findings.kinds") });
  let chosen = "";
  const show = (): void => {
    const query: Record<string, string> = { run_id: run.id, ...(chosen ? { kind: chosen } : {}) };
    replace(kinds, ...[["", total] as [string, number], ...counts].map(([kind, count]) => kindButton(kind, count)));
    files.replaceChildren(downloads(LAYER, query, `${LAYER}-${run.id}`));
    pager.open(LAYER, { ...query, limit: String(PAGE) });
  };
  const kindButton = (kind: string, count: number): HTMLElement => {
    const choose = (): void => {
      chosen = kind;
      show();
    };
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "kind", "aria-pressed": String(chosen === kind), onclick: choose },
        kind ? swatch(roleColor(LAYER, kind), "circle") : null,
        h("span", {}, kind ? codeTitle(LAYER, "kind", kind) : t("findings.all")),
        h("strong", {}, formatNumber(count, 0)),
      ),
    );
  };
  if (total > 0) show();
  return h(
    "div",
    {},
    summary
      ? h(
          "div",
          { class: "figures" },
          figure("network", t("findings.largest"), formatShare(summary.largest_share)),
          figure("layers", t("findings.parts"), formatNumber(summary.parts, 0)),
        )
      : null,
    total > 0 ? section(t("findings.title"), kinds, files, pager.element) : empty(t("findings.none")),
  );
}

/** Build the part. */
export function findingsPart(zoomToItem: ZoomToItem): Part {
  const networks = h("div");
  let commodity: Commodity = getState().question.commodity;
  const starter = makeStarter(
    "network-check",
    () => t("findings.check"),
    () => ({ commodity }),
  );
  const update = (): void => {
    const choices = COMMODITIES.map((value) => ({ value, label: t(`commodity.${value}`) }));
    const box = select(t("network.commodity"), choices, commodity, (value) => {
      commodity = value as Commodity;
    });
    replace(networks, h("label", { class: "field" }, h("span", { class: "field-label" }, t("network.commodity")), box));
    starter.update();
  };
  return makeRunPage({
    isOpen: () => getState().tool === "findings" && getState().tab === "networks",
    isWanted: (process) => process === "network-check",
    none: () => h("p", { class: "soft" }, t("findings.noRuns")),
    head: h("div", { class: "form" }, networks, starter.element),
    update,
    read: async ({ id, process }) => {
      const [run] = await Promise.all([readRun(id), showRunLayers(id, process)]);
      return findingsBody(run, zoomToItem);
    },
  });
}
