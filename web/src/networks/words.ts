/** What traces and isolations answer, as the viewer reads it. */

import type { Words } from "../types";

export type Box = [number, number, number, number];

/** A start or end: what was asked, and the item it was taken for. */
export interface Told {
  asked: string;
  item: string;
  distance?: number;
}

export interface LayerCount {
  layer: string;
  title: Words;
  count: number;
}

/** A result function: its value and unit; of the worst, the item. */
export interface Measured {
  function: string;
  value: number | null;
  unit?: string;
  counted?: number;
  item?: string;
  code_title?: Words;
}

interface Figures {
  id: string;
  commodity: string;
  unresolved: number;
  starts: Told[];
  bounds: Box | null;
  /** Where the members of each layer are, as items and as tiles. */
  links: { rel: string; href: string; title?: string }[];
}

export interface TraceFigures extends Figures {
  link_count: number;
  node_count: number;
  length: number;
  path_length?: number | null;
  source_count: number;
  sink_count: number;
  barrier_count: number;
  ends: Told[];
  counts: LayerCount[];
  equipment: Record<string, { count: number; sum: number }>;
  results: Measured[];
}

/** A valve or other thing with a name, as the crew meets it. */
export interface Met {
  item: string;
  position: [number, number];
  order?: number;
  street?: string;
  name?: string;
  address?: string;
  status?: string;
  valve_type?: string;
  diameter?: number;
  turns?: number;
  last_operated?: string;
  note?: string;
  restores?: { length: number; customers: number };
}

export type ValveRole = "close" | "close_idle" | "already_closed" | "stuck" | "broken";

/** Links, length [m] and what hangs on them, by the kinds that the network has. */
export type OutageSum = { link_count: number; length: number } & Partial<Record<string, number>>;

export interface IsolationFigures extends Figures {
  valves: Record<ValveRole | "sources_inside", Met[]>;
  without_water: OutageSum;
  isolated: OutageSum;
  behind: OutageSum;
  named: Partial<Record<string, Met[]>>;
  feeds: Met[];
  dead_ends: { valve: string; length: number; items: string[] }[];
}

export type AnyFigures = TraceFigures | IsolationFigures;

export const isIsolation = (figures: AnyFigures): figures is IsolationFigures => "without_water" in figures;

/** Return the layers in which something was found. */
export const memberLayers = (figures: AnyFigures): string[] =>
  figures.links.flatMap((link) => (link.rel === "items" && link.title ? [link.title] : []));

/** Return layer and id of a word such as `water_pipes/WP-12`. */
export function splitItem(item: string): { layer: string; id: string } {
  const at = item.indexOf("/");
  return { layer: item.slice(0, at), id: item.slice(at + 1) };
}
