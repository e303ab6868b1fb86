/** What a situation report is made of, read at one moment. */

import { mainDatastream } from "../alarm";
import { readItems } from "../api";
import type { Item, WardCounts } from "../types";
import { type Fan, readFan } from "./fan";
import { deskGauge } from "./gauge-choice";
import { type Gauge, listGauges } from "./gauges";
import { chooseGauge } from "./now";
import {
  type IssuedWarning,
  type Loop,
  type Outlook,
  readAllAlarms,
  readLoop,
  readOutlooks,
  readWarnings,
  type StandingAlarm,
} from "./reading";
import { chooseEnsemble, readWards, type WardsOfRun } from "./ward-data";

const MOST_ROADS = 15;
const MOST_SHELTERS = 30;
const ASSETS = "flood_assets";
/** Cars stop in water that is deeper [m]. */
const ROAD_CLOSED = 0.3;

/** A place where people find shelter, and the depth of water there, null where it stays dry. */
export interface Shelter {
  name: string;
  address: string | null;
  depth: number | null;
}

export interface ReportData {
  taken: Date;
  gauges: Gauge[];
  gauge: Gauge | undefined;
  fan: Fan | null;
  outlooks: Outlook[];
  loop: Loop | null;
  wards: WardsOfRun | null;
  roads: Item[];
  shelters: Shelter[];
  alarms: StandingAlarm[];
  inForce: IssuedWarning[];
  issued: IssuedWarning[];
}

async function readShelters(run: string | null): Promise<Shelter[]> {
  const found = await readItems("places", {
    filter: "category = 'shelter'",
    "filter-lang": "cql2-text",
    limit: String(MOST_SHELTERS),
  });
  const wet = new Map<string, number>();
  if (run && found.features.length > 0) {
    const touched = await readItems(ASSETS, { run_id: run, asset_layer: "places", category: "shelter", limit: "500" });
    for (const { properties } of touched.features)
      wet.set(String(properties["asset_id"]), Number(properties["depth_max"]));
  }
  return found.features.map(({ id, properties }) => ({
    name: String(properties["name"] ?? id),
    address: properties["address"] ? String(properties["address"]) : null,
    depth: wet.get(id) ?? null,
  }));
}

const readRoads = async (run: string): Promise<Item[]> =>
  (
    await readItems(ASSETS, {
      run_id: run,
      asset_layer: "road_links",
      filter: `depth_max >= ${ROAD_CLOSED}`,
      "filter-lang": "cql2-text",
      sortby: "-depth_max",
      limit: String(MOST_ROADS),
    })
  ).features;

/** Read all of it. What a city does not have is empty; what fails, fails the report. */
export async function readReport(): Promise<ReportData> {
  const [outlooks, loop, alarms, inForce, issued] = await Promise.all([
    readOutlooks(),
    readLoop(),
    readAllAlarms(),
    readWarnings(true),
    readWarnings(false),
  ]);
  const gauges = listGauges(outlooks);
  const gauge = chooseGauge(gauges, deskGauge.get());
  const run = chooseEnsemble(loop);
  const stream = gauge && mainDatastream(gauge.sensor);
  const [fan, wards, roads, shelters] = await Promise.all([
    gauge && stream ? readFan(gauge.sensor, stream.id) : null,
    run ? readWards(run) : null,
    run ? readRoads(run) : [],
    readShelters(run),
  ]);
  return { taken: new Date(), gauges, gauge, fan, outlooks, loop, wards, roads, shelters, alarms, inForce, issued };
}

/** Add up what a flood touches over the wards. */
export function sumCounts(wards: WardsOfRun, which: "likely" | "possible"): WardCounts {
  const sum: WardCounts = {
    people: 0,
    buildings: 0,
    road_length: 0,
    closed_road_length: 0,
    places: 0,
    hospitals: 0,
    schools: 0,
    cabinets: 0,
    pumps: 0,
    depth_max: 0,
    depth_class: null,
  };
  for (const { [which]: counts } of wards.wards) {
    for (const name of Object.keys(sum) as (keyof WardCounts)[]) {
      if (name === "depth_class") continue;
      sum[name] = name === "depth_max" ? Math.max(sum[name], counts[name]) : sum[name] + counts[name];
    }
  }
  return sum;
}
