/** The long profile of a way through pipes: the ground above, the pipes where they lie, without a run of the water. */

import { readItems, request } from "../api";
import { findRasterLayer } from "../data";
import { formatNumber } from "../format";
import type { Item } from "../types";
import type { Position } from "./places";
import type { LongProfile } from "./profile-chart";
import type { Walked } from "./way";

const CHUNK = 80;
/** As many places are asked of the terrain; more do not fit into an address. */
const MOST_PLACES = 160;

interface Lie {
  bed: number | null;
  crown: number | null;
}

interface Ground {
  distances: number[];
  values: (number | null)[];
}

/** Whether where its links lie is known well enough for a profile. */
export const hasProfile = (commodity: string): boolean => ["drainage", "sewer", "water"].includes(commodity);

/** Return the items of a way by id. */
async function readLinks(way: readonly Walked[]): Promise<Map<string, Item>> {
  const layer = way[0]!.layer;
  const ids = [...new Set(way.map(({ id }) => id))];
  const chunks = Array.from({ length: Math.ceil(ids.length / CHUNK) }, (_, at) =>
    ids.slice(at * CHUNK, (at + 1) * CHUNK),
  );
  const pages = await Promise.all(
    chunks.map((chunk) => {
      const list = chunk.map((id) => `'${id.replaceAll("'", "''")}'`).join(",");
      return readItems(layer, { filter: `id IN (${list})`, limit: String(CHUNK), skipGeometry: "true" });
    }),
  );
  return new Map(pages.flatMap(({ features }) => features.map((item) => [item.id, item])));
}

/** Return the ground along the way [m above datum]; none where the city has no terrain. */
async function readGround(way: readonly Walked[], length: number, signal: AbortSignal): Promise<Ground> {
  const terrain = findRasterLayer("terrain")?.raster_id;
  const whole = way.flatMap(({ line }, at) => (at === 0 ? line : line.slice(1)));
  if (!terrain || whole.length < 2) return { distances: [], values: [] };
  const step = Math.max(1, Math.ceil(whole.length / MOST_PLACES));
  const places = whole.filter((_, at) => at % step === 0 || at === whole.length - 1);
  const coords = `LINESTRING(${places.map(([lon, lat]: Position) => `${lon.toFixed(6)} ${lat.toFixed(6)}`).join(",")})`;
  const { distances, values } = await request<Ground>(
    `/tiles/raster/${encodeURIComponent(terrain)}/profile?${new URLSearchParams({ coords })}`,
    { signal },
  );
  const scale = length / Math.max(distances.at(-1) ?? 1, 1e-9);
  return { distances: distances.map((distance) => distance * scale), values };
}

/** Return the ground at a distance, null where it is not known. */
function groundAt({ distances, values }: Ground, distance: number): number | null {
  const after = distances.findIndex((one) => one >= distance);
  if (after < 0) return values.at(-1) ?? null;
  const [high, low] = [values[after] ?? null, values[after - 1] ?? values[after] ?? null];
  if (high === null || low === null) return high ?? low;
  const [from, to] = [distances[after - 1] ?? distances[after]!, distances[after]!];
  return to > from ? low + ((high - low) * (distance - from)) / (to - from) : high;
}

const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** Return where both ends of a link lie: drains by their inverts, pipes of water by their cover below the ground. */
function lieOf(walked: Walked, item: Item | undefined, ground: readonly [number | null, number | null]): [Lie, Lie] {
  const { from_invert, to_invert, height, cover_depth, diameter } = item?.properties ?? {};
  const size = number(height) ?? number(diameter);
  const cover = number(cover_depth);
  const beds = [number(from_invert), number(to_invert)];
  const ends = (walked.isBackward ? beds.reverse() : beds).map((invert, end): Lie => {
    if (invert !== null) return { bed: invert, crown: size === null ? null : invert + size };
    const top = ground[end] ?? null;
    if (cover === null || top === null) return { bed: null, crown: null };
    return { bed: top - cover - (size ?? 0), crown: size === null ? null : top - cover };
  });
  return [ends[0]!, ends[1]!];
}

/** Return what is written under a link: its size [mm], and of drains their fall. */
function labelOf(item: Item | undefined, fall: number): string {
  const { shape, height, width, diameter } = item?.properties ?? {};
  const mm = (value: unknown): string => formatNumber((number(value) ?? 0) * 1000, 0);
  if (number(diameter)) return `DN ${mm(diameter)}`;
  if (!number(height)) return "";
  const size = shape === "circular" || !number(width) ? `Ø ${mm(height)}` : `${mm(width)} × ${mm(height)}`;
  return `${size} · ${formatNumber(fall * 1000, 1)} ‰`;
}

/** What nothing is known of lies where its neighbours end. */
function fillBeds(beds: (number | null)[]): number[] {
  let last = beds.find((bed) => bed !== null) ?? 0;
  return beds.map((bed) => {
    last = bed ?? last;
    return last;
  });
}

/** Return the profile of a way; its levels of water are those of no run. */
export async function readWayProfile(way: readonly Walked[], signal: AbortSignal): Promise<LongProfile> {
  const length = way.reduce((sum, { length: own }) => sum + own, 0);
  const [links, ground] = await Promise.all([readLinks(way), readGround(way, length, signal)]);
  const starts: number[] = [];
  let passed = 0;
  for (const { length: own } of way) {
    starts.push(passed);
    passed += own;
  }
  const ends = way.map(({ length: own }, at) => starts[at]! + own);
  const lies = way.map((walked, at) =>
    lieOf(walked, links.get(walked.id), [groundAt(ground, starts[at]!), groundAt(ground, ends[at]!)]),
  );
  const flat = fillBeds(lies.flatMap(([from, to]) => [from.bed, to.bed]));
  const startBeds = way.map((_, at) => flat[2 * at]!);
  const endBeds = way.map((_, at) => flat[2 * at + 1]!);
  const nodeOf = (at: number): string => {
    const link = links.get(way[Math.min(at, way.length - 1)]!.id)?.properties ?? {};
    const isFrom = at < way.length !== way[Math.min(at, way.length - 1)]!.isBackward;
    return String((isFrom ? link["from_node"] : link["to_node"]) ?? way[Math.min(at, way.length - 1)]!.id);
  };
  const distances = [...starts, length];
  const none = (count: number): null[] => Array.from({ length: count }, () => null);
  return {
    length,
    at: null,
    isDry: true,
    ...(way[0]!.layer === "water_pipes" ? { isPressure: true } : {}),
    labels: way.map(({ id, length: own }, at) =>
      labelOf(links.get(id), own > 0 ? (startBeds[at]! - endBeds[at]!) / own : 0),
    ),
    ground: ground.distances.flatMap((distance, at): [number, number][] => {
      const value = ground.values[at];
      return value === null || value === undefined ? [] : [[distance, value]];
    }),
    flooded: [],
    full: [],
    stations: {
      id: distances.map((_, at) => nodeOf(at)),
      kind: distances.map(() => "node"),
      distance: distances,
      invert: distances.map((_, at) => Math.min(startBeds[at] ?? Infinity, endBeds[at - 1] ?? Infinity)),
      rim: distances.map((distance) => groundAt(ground, distance)),
      max_head: distances.map(() => Number.NaN),
      head: none(distances.length),
      surcharge_time: distances.map(() => 0),
      flooding_volume: distances.map(() => 0),
      flooded: distances.map(() => false),
    },
    reaches: {
      id: way.map(({ id }) => id),
      kind: way.map((walked) => String(links.get(walked.id)?.properties["link_type"] ?? walked.layer)),
      start: starts,
      end: ends,
      start_bed: startBeds,
      end_bed: endBeds,
      start_crown: lies.map(([from]) => from.crown),
      end_crown: lies.map(([, to]) => to.crown),
      start_max_head: way.map(() => Number.NaN),
      end_max_head: way.map(() => Number.NaN),
      start_head: none(way.length),
      end_head: none(way.length),
      max_flow: way.map(() => 0),
      full: way.map(() => false),
    },
  };
}
