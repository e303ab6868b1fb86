/** Critical roads: which are missed the most, by several measures side by side. */

import type { Map as MapView } from "maplibre-gl";
import { readItems } from "../api";
import { findVectorLayer } from "../data";
import { type Child, h, replace } from "../dom";
import { formatFixed, formatNumber, formatProperty } from "../format";
import { say, t } from "../i18n";
import { failure, figure, loading, section, select } from "../panels/parts";
import { longTable } from "../panels/table";
import type { Part } from "../panels/tools";
import type { Item, Property, Run, ZoomToItem } from "../types";
import { field } from "./conditions";
import { runPart } from "./generic";

const LAYER = "road_criticality";
const MOST = "50";
/** Numbers that are no measure of how much a road is missed. */
const OTHER = new Set(["length"]);

const isMeasure = ({ name, type }: Property): boolean => (type === "number" || type === "integer") && !OTHER.has(name);

/** Ranks count from one, of all else the most comes first. */
const orderBy = (measure: string): string => (/^rank(?!_spread)/.test(measure) ? measure : `-${measure}`);

interface Criticality {
  stretches: { edges: number; tried: number; only_ways: number; people_behind_only_ways: number };
  /** How alike two measures rank the roads: 1 the same, 0 nothing in common, -1 the other way round. */
  agreement: { measures: [string, string]; kendall_tau: number | null }[];
}

const measureTitle = (name: string): string =>
  say(findVectorLayer(LAYER)?.properties.find((one) => one.name === `rank_${name}`)?.title, name);

function agreementPart({ agreement }: Criticality): HTMLElement {
  const rows = agreement.map(({ measures: [first, second], kendall_tau }): Child[] => [
    h("div", { class: "two-lines" }, measureTitle(first), h("span", { class: "soft" }, measureTitle(second))),
    formatFixed(kendall_tau, 2),
  ]);
  return section(
    t("critical.agreement"),
    h("p", { class: "soft" }, t("critical.agreementHint")),
    longTable([t("critical.measures"), "τ"], rows),
  );
}

function figuresPart({ stretches }: Criticality): HTMLElement {
  return h(
    "div",
    { class: "figures" },
    figure("road", t("critical.tried"), formatNumber(stretches.tried, 0)),
    figure("warning", t("critical.onlyWays"), formatNumber(stretches.only_ways, 0)),
    figure("people", t("critical.behind"), formatNumber(stretches.people_behind_only_ways, 0)),
  );
}

function rankTable(items: Item[], measures: readonly Property[], zoomToItem: ZoomToItem): HTMLElement {
  const rows = items.map((item, index): Child[] => {
    const { name, road_id, road_link_id } = item.properties;
    const go = (): void => zoomToItem(LAYER, item.id, item.geometry);
    return [
      h(
        "button",
        { type: "button", class: "link-button", onclick: go },
        `${index + 1}. ${String(name ?? road_id ?? road_link_id ?? item.id)}`,
      ),
      ...measures.map((measure) => formatProperty(item.properties[measure.name], measure)),
    ];
  });
  return longTable([t("water.road"), ...measures.map(({ title }) => say(title))], rows);
}

/** The ranking by a measure that can be chosen; the chosen one stands first. */
function rankingPart(run: Run, zoomToItem: ZoomToItem): HTMLElement | null {
  const measures = (findVectorLayer(LAYER)?.properties ?? []).filter(isMeasure);
  const [first] = measures;
  if (!first) return null;
  const list = h("div", { class: "ranking", "aria-live": "polite" });
  const show = async (measure: string): Promise<void> => {
    replace(list, loading());
    try {
      const { features } = await readItems(LAYER, { run_id: run.id, sortby: orderBy(measure), limit: MOST });
      const ordered = [...measures].sort((a, b) => Number(b.name === measure) - Number(a.name === measure));
      replace(list, rankTable(features, ordered, zoomToItem));
    } catch (error) {
      replace(
        list,
        failure(error, () => void show(measure)),
      );
    }
  };
  const choices = measures.map(({ name, title }) => ({ value: name, label: say(title, name) }));
  const box = select(t("critical.by"), choices, first.name, (measure) => void show(measure));
  void show(first.name);
  return section(t("critical.ranking"), field(t("critical.by"), box), list);
}

/** Build the part. */
export const criticalPart = (_: MapView, zoomToItem: ZoomToItem): Part =>
  runPart({
    use: "critical",
    process: "road-criticality",
    none: () => t("critical.noRuns"),
    tell: (run) => {
      const found = (run.summary as unknown as { criticality?: Criticality } | null)?.criticality;
      const ranking = rankingPart(run, zoomToItem);
      return found ? [figuresPart(found), ranking, agreementPart(found)] : [ranking];
    },
  });
