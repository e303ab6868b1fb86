/** What an ensemble says of each ward, and how wards are sorted and classed. */

import { readItems, readPage, readRun } from "../api";
import { findRasterLayer, findVectorLayer, runs } from "../data";
import { formatHours, formatShare } from "../format";
import { t } from "../i18n";
import { nextLink } from "../panels/pager";
import { codeTitle } from "../panels/table";
import { makeSlice } from "../slices";
import type { Item, Run, RunShort, WardOutlook } from "../types";
import type { Loop } from "./reading";

export const ENSEMBLE = "flood-ensemble";
const ASSETS = "flood_assets";
/** How far the desk looks ahead [h]. */
export const AHEAD_HOURS = 48;

/** The run that the wards are read from; null is the newest. */
export const wardRun = makeSlice<string | null>(
  "ward-run",
  (text) => text,
  (value) => value,
);

/** The ward that is looked at. */
export const chosenWard = makeSlice<string | null>(
  "ward",
  (text) => text,
  (value) => value,
);

export const SORTS = ["first", "probability", "depth", "people", "name"] as const;
export type Sort = (typeof SORTS)[number];
const isSort = (text: string | null): text is Sort => SORTS.some((sort) => sort === text);

export const wardSort = makeSlice<Sort>(
  "ward-sort",
  (text) => (isSort(text) ? text : "first"),
  (value) => (value === "first" ? null : value),
);

export const PAINTS = ["class", "probability", "first"] as const;
export type Paint = (typeof PAINTS)[number];

export const wardPaint = makeSlice<Paint>(
  "ward-paint",
  (text) => PAINTS.find((paint) => paint === text) ?? "class",
  (value) => (value === "class" ? null : value),
);

/** Return the ensembles that are finished, the newest first. */
export const listEnsembles = (): RunShort[] =>
  (runs ?? []).filter(({ process }) => process === ENSEMBLE).sort((a, b) => b.created.localeCompare(a.created));

/** Return the id of the run to read: the chosen one, the loop's newest, or the newest ensemble there is. */
export function chooseEnsemble(loop: Loop | null): string | null {
  const all = listEnsembles();
  const wanted = wardRun.get();
  if (wanted && all.some(({ id }) => id === wanted)) return wanted;
  return loop?.newest_run ?? all[0]?.id ?? null;
}

export interface WardsOfRun {
  run: Run;
  wards: WardOutlook[];
}

/** Read what a run says of the wards; none where it was made before wards were counted, or in a city without. */
export async function readWards(id: string): Promise<WardsOfRun> {
  const run = await readRun(id);
  return { run, wards: run.summary?.ensemble?.wards ?? [] };
}

const shapes = new Map<string, GeoJSON.Geometry>();

/** Read the boundaries of the wards, once. */
export async function readShapes(): Promise<ReadonlyMap<string, GeoJSON.Geometry>> {
  if (shapes.size > 0) return shapes;
  const keep = (item: Item): void => {
    if (item.geometry) shapes.set(String(item.properties["ward_code"]), item.geometry);
  };
  let page = await readItems("wards", { limit: "500" });
  for (;;) {
    page.features.forEach(keep);
    const next = nextLink(page);
    if (!next || page.features.length === 0) return shapes;
    page = await readPage(next);
  }
}

const time = (moment: string | null): number => (moment ? Date.parse(moment) : Number.POSITIVE_INFINITY);

const COMPARE: Record<Sort, (a: WardOutlook, b: WardOutlook) => number> = {
  first: (a, b) => time(a.first) - time(b.first) || b.probability - a.probability,
  probability: (a, b) => b.probability - a.probability || time(a.first) - time(b.first),
  depth: (a, b) => b.likely.depth_max - a.likely.depth_max || b.possible.depth_max - a.possible.depth_max,
  people: (a, b) => b.likely.people - a.likely.people || b.possible.people - a.possible.people,
  name: () => 0,
};

/** Return the wards by what they are to be sorted by, those alike by name. */
export const sortWards = (wards: readonly WardOutlook[], sort: Sort): WardOutlook[] =>
  [...wards].sort((a, b) => {
    const order = COMPARE[sort](a, b);
    return (Number.isNaN(order) ? 0 : order) || a.ward_name.localeCompare(b.ward_name, "vi");
  });

export const isWet = (ward: WardOutlook): boolean => ward.probability > 0;

/** Colours of the hour in which water comes first, and before how many hours that is. */
const FIRST_STEPS: readonly [number, string][] = [
  [6, "#a50f15"],
  [12, "#ef6548"],
  [24, "#fdbb84"],
  [Number.POSITIVE_INFINITY, "#fee8c8"],
];

export interface Shade {
  color: string;
  words: string;
}

const depthShade = (code: string | null): Shade | null => {
  const color = findVectorLayer(ASSETS)?.legend.find((entry) => entry.value === code)?.color;
  return code && color ? { color, words: codeTitle(ASSETS, "depth_class", code) } : null;
};

function probabilityShade(probability: number): Shade | null {
  const entries = findRasterLayer("flood_probability_03")?.legend ?? [];
  const reached = entries.filter(({ value }) => Number(value) <= probability && Number(value) > 0);
  const color = reached.at(-1)?.color ?? entries.find(({ value }) => Number(value) > 0)?.color;
  return color && probability > 0 ? { color: color.slice(0, 7), words: formatShare(probability) } : null;
}

function firstWords(place: number): string {
  const [until] = FIRST_STEPS[place] ?? [0];
  const from = FIRST_STEPS[place - 1]?.[0] ?? 0;
  if (!Number.isFinite(until)) return t("ward.after", { hours: formatHours(from, 0) });
  return t("ward.within", { hours: formatHours(until, 0) });
}

function firstShade(first: string | null, base: string): Shade | null {
  if (!first) return null;
  const hours = (Date.parse(first) - Date.parse(base)) / 3600e3;
  const place = FIRST_STEPS.findIndex(([until]) => hours < until);
  return { color: FIRST_STEPS[place]?.[1] ?? "#fee8c8", words: firstWords(place) };
}

/** Return how a ward is coloured, and what that means in words; null for one that stays dry. */
export function shadeWard(ward: WardOutlook, paint: Paint, base: string): Shade | null {
  if (paint === "class") return depthShade(ward.likely.depth_class ?? (isWet(ward) ? ward.possible.depth_class : null));
  return paint === "probability" ? probabilityShade(ward.probability) : firstShade(ward.first, base);
}

/** Return the colours of the map and their words, for its legend. */
export function listShades(paint: Paint): Shade[] {
  if (paint === "class")
    return (findVectorLayer(ASSETS)?.legend ?? []).flatMap(
      ({ value }) => depthShade(value === undefined ? null : String(value)) ?? [],
    );
  if (paint === "first") return FIRST_STEPS.map(([, color], place) => ({ color, words: firstWords(place) }));
  return (findRasterLayer("flood_probability_03")?.legend ?? [])
    .filter(({ value }) => Number(value) > 0)
    .map(({ color, value }) => ({ color: color.slice(0, 7), words: formatShare(Number(value)) }));
}
