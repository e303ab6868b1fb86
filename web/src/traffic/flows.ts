/** Flows of an assignment: how full each road is, by width and colour, and what the run adds up to. */

import type { ExpressionSpecification, Map as MapView } from "maplibre-gl";
import { readItems } from "../api";
import { type Child, h } from "../dom";
import { formatFixed, formatNumber } from "../format";
import { t } from "../i18n";
import { figure, section } from "../panels/parts";
import { longTable } from "../panels/table";
import type { Part } from "../panels/tools";
import type { Item, Run, ZoomToItem } from "../types";
import { dressLines } from "./dress";
import { runPart } from "./generic";
import { formatMinutes } from "./minutes";

const FLOWS = "traffic_flows";
const BUSIEST = "400";

/** Wider by the root of the flow, so that a small street is still seen beside a main one. */
const widthAt = (least: number, per: number): ExpressionSpecification => [
  "+",
  least,
  ["/", ["sqrt", ["max", ["to-number", ["get", "flow"], 0], 0]], per],
];
const WIDTH: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 11, widthAt(0.6, 16), 16, widthAt(1.5, 6)];

function busyRow(item: Item, zoomToItem: ZoomToItem): Child[] {
  const { name, road_link_id, volume_share, flow, speed } = item.properties;
  const go = (): void => zoomToItem(FLOWS, item.id, item.geometry);
  return [
    h("button", { type: "button", class: "link-button", onclick: go }, String(name ?? road_link_id ?? item.id)),
    formatFixed(volume_share as number, 2),
    formatNumber(flow as number, 0),
    formatNumber(speed as number, 0),
  ];
}

interface FlowSummary {
  traffic: {
    trips: number;
    vehicle_km: number;
    vehicle_hours: number;
    delay_hours: number;
    mean_speed: number;
    mean_time: number;
  };
  assignment: { gap_checked: number; balanced: boolean };
}

/** What all trips add up to, and how near they are to an equilibrium: the gap is that of a check of its own. */
function figuresPart({ traffic, assignment }: Partial<FlowSummary>): Child[] {
  if (!traffic || !assignment) return [];
  return [
    h(
      "div",
      { class: "figures" },
      figure("people", t("flows.trips"), formatNumber(traffic.trips, 0)),
      figure("road", t("flows.distance"), formatNumber(traffic.vehicle_km, 0)),
      figure("clock", t("flows.hours"), formatNumber(traffic.vehicle_hours, 0)),
      figure("warning", t("flows.delay"), formatNumber(traffic.delay_hours, 1)),
      figure("sensor", t("flows.meanSpeed"), `${formatNumber(traffic.mean_speed, 0)} km/h`),
      figure("clock", t("flows.meanTime"), formatMinutes(traffic.mean_time)),
    ),
    h(
      "p",
      { class: assignment.balanced ? "soft note" : "field-error" },
      t(assignment.balanced ? "flows.balanced" : "flows.unbalanced", { gap: assignment.gap_checked.toExponential(1) }),
    ),
  ];
}

/** The fullest stretch of each street. */
function firstOfEach(items: readonly Item[]): Item[] {
  const streets = new Map<string, Item>();
  for (const item of items) {
    const name = String(item.properties["name"] ?? item.id);
    if (!streets.has(name)) streets.set(name, item);
  }
  return [...streets.values()];
}

/** The fullest roads. */
async function busyPart(run: Run, zoomToItem: ZoomToItem): Promise<HTMLElement | null> {
  const { features } = await readItems(FLOWS, { run_id: run.id, sortby: "-volume_share", limit: BUSIEST });
  if (features.length === 0) return null;
  const headings = [t("water.road"), t("flows.share"), t("flows.flow"), t("now.speed")];
  return section(
    t("flows.fullest"),
    h("p", { class: "soft" }, t("flows.hint")),
    longTable(
      headings,
      firstOfEach(features).map((item) => busyRow(item, zoomToItem)),
    ),
  );
}

/** Build the part. */
export function flowsPart(map: MapView, zoomToItem: ZoomToItem): Part {
  dressLines(map, FLOWS, { "line-width": WIDTH });
  return runPart({
    use: "flows",
    process: "traffic-assignment",
    none: () => t("flows.noRuns"),
    tell: async (run) => [
      ...figuresPart((run.summary ?? {}) as unknown as Partial<FlowSummary>),
      await busyPart(run, zoomToItem),
    ],
  });
}
