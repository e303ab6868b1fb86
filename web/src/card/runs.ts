/** What runs found of an item: its water, pressure, flow, the traffic on it. */

import { readItems } from "../api";
import { findVectorLayer, networkRuns, runs } from "../data";
import { h } from "../dom";
import { formatDateTime } from "../format";
import { say, t } from "../i18n";
import { empty } from "../panels/parts";
import { type Selection, setState } from "../state";
import { quoteText } from "../table/tests";
import type { Item, VectorLayer } from "../types";
import { fill } from "./internal";
import { propertyList } from "./properties";

/** Layers of runs that speak of the items of any layer: the property with the layer, and that with the id. */
const ABOUT_ANY: readonly [string, string, string][] = [
  ["flood_assets", "asset_layer", "asset_id"],
  ["outage_assets", "asset_layer", "asset_id"],
  ["circuit_faults", "asset_layer", "asset_id"],
  ["access_places", "place_layer", "place_id"],
];
/** Layers of runs that speak of one layer, by it: the property with the id. */
const ABOUT: Record<string, readonly [string, string][]> = {
  road_links: [
    ["flooded_roads", "road_id"],
    ["traffic_state", "road_link_id"],
    ["traffic_flows", "road_link_id"],
    ["road_criticality", "road_id"],
  ],
  drainage_nodes: [
    ["drainage_node_results", "node_id"],
    ["drainage_capacity_nodes", "node_id"],
  ],
  drainage_links: [
    ["drainage_link_results", "link_id"],
    ["drainage_capacity", "link_id"],
  ],
  water_nodes: [
    ["water_pressures", "node_id"],
    ["water_qualities", "node_id"],
  ],
  water_pipes: [["water_flows", "link_id"]],
  hydrants: [["hydrant_flows", "hydrant_id"]],
  dmas: [["dma_balances", "dma_id"]],
  lighting_cabinets: [["circuit_energy", "cabinet_id"]],
};

/** What the card of the item says itself. */
const TOLD_ALREADY: readonly string[] = ["run_id", "asset_layer", "asset_id", "asset_name", "place_layer", "place_id"];

interface Found {
  layer: VectorLayer;
  item: Item;
}

/** Return the newest record of each layer of runs about an item. */
async function findRecords({ layer, id }: Selection): Promise<Found[]> {
  const asked = [
    ...ABOUT_ANY.map(([of, own, key]) => [of, `${own} = ${quoteText(layer)} AND ${key} = ${quoteText(id)}`] as const),
    ...(ABOUT[layer] ?? []).map(([of, key]) => [of, `${key} = ${quoteText(id)}`] as const),
  ];
  const read = async ([of, filter]: readonly [string, string]): Promise<Found[]> => {
    const declared = findVectorLayer(of);
    if (!declared) return [];
    const { features } = await readItems(of, { filter, sortby: "-run_id", limit: "1" });
    return features.map((item) => ({ layer: declared, item }));
  };
  return (await Promise.all(asked.map(read))).flat();
}

function recordPart({ layer, item }: Found): HTMLElement {
  const id = String(item.properties["run_id"] ?? "");
  const run = [...(runs ?? []), ...(networkRuns ?? [])].find((one) => one.id === id);
  const choose = (): void => setState({ place: null, selection: { layer: layer.id, id: item.id } });
  const told = Object.entries(item.properties).filter(([name]) => !TOLD_ALREADY.includes(name));
  return h(
    "section",
    { class: "record" },
    h("button", { type: "button", class: "link-button", onclick: choose }, say(layer.title)),
    h("p", { class: "soft" }, run ? `${say(run.title)} · ${formatDateTime(run.base_time ?? run.created)}` : id),
    propertyList({ ...item, properties: Object.fromEntries(told) }, layer, false),
  );
}

/** Fill the section. */
export function fillRuns(holder: HTMLElement, selection: Selection): void {
  void fill(
    holder,
    () => findRecords(selection),
    (found) => (found.length > 0 ? h("div", {}, ...found.map(recordPart)) : empty(t("item.noRuns"))),
  );
}
