/** What the planner asks the server. */

import { readItems, request } from "../api";
import type { Item } from "../types";

export interface ClassPart {
  value: string | null;
  count: number;
  length: number | null;
  area: number | null;
  people?: number;
  floor_area?: number;
  power?: number;
  budget?: number;
}

export interface LayerParts extends Omit<ClassPart, "value"> {
  collection: string;
  by: string | null;
  classes: ClassPart[];
}

export interface AreaFlood {
  run: string;
  covered_area: number;
  flooded_area: number;
  share: number | null;
  depth_max: number | null;
  depth_mean: number | null;
  touched: { collection: string; count: number; people: number; length: number }[];
}

export interface AreaStatistics {
  area: number;
  collections: LayerParts[];
  flood: AreaFlood | null;
}

export interface Overlap {
  collection: string;
  id: string;
  properties: Record<string, unknown>;
  length: number | null;
  area: number | null;
  share: number | null;
}

export interface Change {
  collection: string;
  id: string;
  change: "created" | "changed" | "deleted";
  properties: Record<string, { old: unknown; new: unknown }>;
  moved: number | null;
}

export interface ChangePage {
  features: { id: string; geometry: GeoJSON.Geometry | null; properties: Change }[];
  links: { rel: string; href: string }[];
}

const part = encodeURIComponent;

/** Measure what lies in an area; `run` adds its water, `collections` leaves the other layers out. */
export const readStatistics = (
  geometry: GeoJSON.Geometry,
  options: { run?: string; collections?: string[] },
  signal?: AbortSignal,
): Promise<AreaStatistics> =>
  request("/api/areas/statistics", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ geometry, ...options }),
    ...(signal ? { signal } : {}),
  });

export const readOverlaps = async (layer: string, id: string, others: readonly string[]): Promise<Overlap[]> => {
  const query = new URLSearchParams({ collections: others.join(",") });
  const path = `/api/collections/${part(layer)}/items/${part(id)}/overlaps?${query}`;
  return (await request<{ overlaps: Overlap[] }>(path)).overlaps;
};

/** Return the first changes of a layer between two moments. */
export function readChanges(layer: string, from: string, to: string, limit: number): Promise<ChangePage> {
  const query = new URLSearchParams({ from, to, limit: String(limit), f: "geojson" });
  return request(`/api/collections/${part(layer)}/changes?${query}`);
}

/** Return the tide gates and pumps of the city. */
export async function readDevices(): Promise<Item[]> {
  const page = await readItems("drainage_links", { filter: "link_type in ('gate', 'pump')", limit: "500" });
  return page.features;
}

export interface Surroundings {
  address: { text: string; distance: number } | null;
  street: { name: string; distance: number } | null;
}

export const readSurroundings = ([lon, lat]: readonly number[]): Promise<Surroundings> =>
  request(`/api/reverse?lon=${lon!.toFixed(6)}&lat=${lat!.toFixed(6)}`);
