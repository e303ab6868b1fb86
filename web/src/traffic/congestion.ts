/** How traffic moves now, or did at a time past: streets that counters see, by level of service. */

import type { Map as MapView } from "maplibre-gl";
import { askProcess } from "../api";
import { findVectorLayer } from "../data";
import { type Child, h } from "../dom";
import { formatFixed, formatLength, formatNumber, formatShortDateTime } from "../format";
import { t } from "../i18n";
import { drawNetwork } from "../map/network";
import { roleColor } from "../networks/drawing";
import { legendList } from "../panels/layers";
import { empty, figure, section } from "../panels/parts";
import { longTable } from "../panels/table";
import { readOutput } from "./ways";

export const STATE = "traffic-state";
const LAYER = "traffic_state";
const WIDTHS: Record<string, number> = { A: 3.5, B: 4, C: 4.5, D: 5, E: 6, F: 7 };

interface StateSummary {
  at: string;
  stations: number;
  silent_stations: string[];
  length: number;
  time_index: number | null;
}

function drawStreets(streets: readonly GeoJSON.Feature[]): GeoJSON.Feature[] {
  return streets.map((street): GeoJSON.Feature => {
    const grade = String(street.properties?.["grade"] ?? "");
    const properties = { color: roleColor(LAYER, grade), width: WIDTHS[grade] ?? 3, order: WIDTHS[grade] ?? 0 };
    return { ...street, properties };
  });
}

/** The slowest stretch of each street. */
function slowTable(streets: readonly GeoJSON.Feature[]): HTMLElement | null {
  const worst = new Map<string, GeoJSON.GeoJsonProperties>();
  for (const { properties } of streets) {
    const name = String(properties?.["name"] ?? properties?.["road_link_id"] ?? "");
    const before = Number(worst.get(name)?.["time_index"] ?? 0);
    if (Number(properties?.["time_index"] ?? 0) > before) worst.set(name, properties);
  }
  const number = (value: unknown): number | null => (typeof value === "number" ? value : null);
  const rows = [...worst]
    .sort(([, a], [, b]) => Number(b?.["time_index"]) - Number(a?.["time_index"]))
    .map(([name, one]): Child[] => [
      name,
      String(one?.["grade"] ?? "–"),
      formatNumber(number(one?.["speed"]), 0),
      formatFixed(number(one?.["time_index"]), 2),
    ]);
  if (rows.length === 0) return null;
  return longTable([t("water.road"), t("now.grade"), t("now.speed"), t("now.index")], rows);
}

/** Ask how traffic moves at a moment, null is now; draw it and say it. */
export async function congestionPart(map: MapView, at: string | null, signal: AbortSignal): Promise<HTMLElement> {
  const results = await askProcess(STATE, at ? { at } : {}, signal);
  const summary = results["summary"]?.value as StateSummary;
  const streets = await readOutput(results[LAYER], signal);
  drawNetwork(map, { features: drawStreets(streets), tiles: [] });
  const legend = findVectorLayer(LAYER);
  if (streets.length === 0) return section(t("now.traffic"), empty(t("now.noCounts")));
  return section(
    t("now.traffic"),
    h("p", { class: "soft note" }, formatShortDateTime(summary.at)),
    h(
      "div",
      { class: "figures" },
      figure("clock", t("now.index"), formatFixed(summary.time_index, 2)),
      figure("road", t("now.seen"), formatLength(summary.length)),
      figure("sensor", t("now.stations"), formatNumber(summary.stations, 0)),
      summary.silent_stations.length > 0
        ? figure("warning", t("now.silent"), formatNumber(summary.silent_stations.length, 0))
        : null,
    ),
    legend ? legendList(legend) : null,
    slowTable(streets),
  );
}
