/** Flows of an assignment: how full each road is, by width and colour, and what the run adds up to. */

import type { ExpressionSpecification, Map as MapView } from "maplibre-gl";
import { readItems } from "../api";
import { type Child, h } from "../dom";
import { formatFixed, formatNumber } from "../format";
import { t } from "../i18n";
import { section } from "../panels/parts";
import { longTable } from "../panels/table";
import type { Part } from "../panels/tools";
import type { Item, Run, ZoomToItem } from "../types";
import { dressLines } from "./dress";
import { runPart } from "./generic";

const FLOWS = "traffic_flows";
const BUSIEST = "50";

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
      features.map((item) => busyRow(item, zoomToItem)),
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
    tell: async (run) => [await busyPart(run, zoomToItem)],
  });
}
