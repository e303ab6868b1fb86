/** Leaks: alarms with time and size, and for each the pipes to walk, ranked and drawn. */

import type { Map as MapView } from "maplibre-gl";
import { readItems } from "../api";
import { type Child, h, replace } from "../dom";
import { formatLength, formatNumber, formatShare, formatShortDateTime } from "../format";
import { t } from "../i18n";
import { drawNetwork } from "../map/network";
import { boundsOf, bringInView } from "../map/pick";
import { itemButton } from "../panels/item-button";
import { empty, failure, loading, section } from "../panels/parts";
import { codeTitle, longTable } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState } from "../state";
import type { Item, ZoomToItem } from "../types";
import { makeStarter } from "./job";
import { makeRunPage } from "./run-page";
import { showRunLayers } from "./runs";

const ALARMS = "leak_alarms";
const WALKS = "leak_pipes";
const PIPES = "water_pipes";
const MOST = "1000";
const SECONDS_AN_HOUR = 3600;
/** Colours of the pipes to walk, the likeliest first. */
const RANKS = ["#b3202e", "#e8603d", "#e8a33d", "#f0cf6b"] as const;
/** Shares of the ranks that each colour holds. */
const RANK_SHARES = [0.1, 0.3, 0.6];

function rankColor(rank: number, count: number): string {
  const place = RANK_SHARES.findIndex((share) => rank <= Math.max(share * count, 1));
  return RANKS[place === -1 ? 3 : (place as 0 | 1 | 2)];
}

const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** Ids of runs' features carry the run; the alarm itself is what comes last. */
const alarmOf = (item: Item): string => item.id.slice(item.id.lastIndexOf(".") + 1);

/** What the table of alarms has no room for. */
function describe(alarm: Item): string {
  const { leak_kind, probability } = alarm.properties;
  const kind = `${t("leaks.kind")}: ${codeTitle(ALARMS, "leak_kind", leak_kind)}`;
  return `${kind} · ${t("leaks.within")}: ${formatShare(numberOf(probability))}`;
}

function walkTable(pipes: Item[], zoomToItem: ZoomToItem): HTMLElement {
  const problem = h("div");
  const rows = pipes.map(({ properties }): Child[] => [
    itemButton(PIPES, String(properties["pipe_id"]), zoomToItem, problem),
    formatNumber(numberOf(properties["likelihood_rank"]), 0),
    formatShare(numberOf(properties["probability"])),
    formatLength(numberOf(properties["length"])),
  ]);
  const headings = [t("isolation.pipes"), t("leaks.rank"), t("leaks.probability"), t("measure.length")];
  return h("div", {}, longTable(headings, rows), problem);
}

/** Build the part. */
export function leaksPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const walk = h("div", { "aria-live": "polite" });
  const starter = makeStarter(
    "leak-detection",
    () => t("leaks.search"),
    () => ({}),
  );

  const showWalk = async (run: string, alarm: Item): Promise<void> => {
    replace(walk, loading());
    try {
      const query = { run_id: run, alarm_id: alarmOf(alarm), sortby: "walk_order", limit: MOST };
      const { features } = await readItems(WALKS, query);
      const drawn = features.map((item): GeoJSON.Feature => {
        const { likelihood_rank: rank, pipe_id: pipe } = item.properties;
        const color = rankColor(Number(rank ?? features.length), features.length);
        return { type: "Feature", geometry: item.geometry!, properties: { color, layer_id: PIPES, item_id: pipe } };
      });
      const mark: GeoJSON.Feature = {
        type: "Feature",
        geometry: alarm.geometry!,
        properties: { color: RANKS[0], size: 11, label: "!", layer_id: ALARMS, item_id: alarm.id },
      };
      drawNetwork(map, { features: [...drawn, mark], tiles: [] });
      if (alarm.geometry) bringInView(map, boundsOf(alarm.geometry));
      replace(
        walk,
        section(
          t("leaks.walk"),
          h("p", { class: "soft" }, describe(alarm)),
          h("p", { class: "soft" }, t("leaks.walkHint")),
          walkTable(features, zoomToItem),
        ),
      );
    } catch (error) {
      replace(
        walk,
        failure(error, () => void showWalk(run, alarm)),
      );
    }
  };
  const alarmTable = (run: string, alarms: Item[]): HTMLElement => {
    const row = (alarm: Item): Child[] => {
      const { raised, size, state, pipe_id } = alarm.properties;
      const flow = numberOf(size);
      return [
        h(
          "button",
          { type: "button", class: "link-button", onclick: () => void showWalk(run, alarm) },
          formatShortDateTime(raised ? String(raised) : null),
        ),
        flow === null ? "–" : `${formatNumber(flow * SECONDS_AN_HOUR, 1)} m³/h`,
        codeTitle(ALARMS, "state", state),
        String(pipe_id ?? "–"),
      ];
    };
    const headings = [t("leaks.raised"), t("leaks.size"), t("leaks.state"), t("leaks.pipe")];
    return longTable(headings, alarms.map(row));
  };
  return makeRunPage({
    isOpen: () => getState().tool === "leaks" && getState().tab === "networks",
    isWanted: (process) => process === "leak-detection",
    none: () => h("p", { class: "soft" }, t("leaks.noRuns")),
    head: starter.element,
    update: starter.update,
    isDrawn: true,
    read: async ({ id, process }) => {
      const [{ features }] = await Promise.all([
        readItems(ALARMS, { run_id: id, limit: MOST }),
        showRunLayers(id, process),
      ]);
      const alarms = features.sort((a, b) =>
        String(b.properties["raised"]).localeCompare(String(a.properties["raised"])),
      );
      replace(walk);
      if (alarms[0]) void showWalk(id, alarms[0]);
      const list = alarms.length > 0 ? section(t("leaks.alarms"), alarmTable(id, alarms)) : empty(t("leaks.none"));
      return h("div", {}, list, walk);
    },
  });
}
