/** Where overlays go between the layers of the style, and the order that the person gives to the layers. */

import type { Map as MapView } from "maplibre-gl";
import { getCatalog, isEmpty, isPerRun } from "../data";
import { makeSlice } from "../slices";
import { getState } from "../state";
import type { Layer } from "../types";
import { SENSOR_LAYERS } from "./sensors";

/** Stands in the order for the picture of the run, whichever of its layers is drawn. */
export const RUN_PICTURE = "run";
const RUN_BUFFERS: readonly string[] = ["flood-a", "flood-b"];
const SENSORS = "sensors";
const RAISED = "buildings-3d";
const SENSOR_DOTS: readonly string[] = SENSOR_LAYERS.slice(0, 2);
const SENSOR_LABELS = SENSOR_LAYERS[2];

/** The person's order, the topmost first; empty while the layers lie as they usually do. */
export const order = makeSlice<readonly string[]>(
  "order",
  (text) => (text ?? "").split(",").filter((id) => /^\w+$/.test(id)),
  (value) => (value.length > 0 ? value.join(",") : null),
);

/** The style's layers without words, from the ground up, as they lay when the style came. */
let usual: string[] = [];

interface Drawn {
  id: string;
  type: string;
  metadata?: unknown;
}

const metadataOf = (layer: Drawn): Record<string, string> =>
  (layer.metadata as Record<string, string> | undefined) ?? {};

function drawnLayers(map: MapView): Drawn[] {
  return map.getLayersOrder().flatMap((id) => map.getLayer(id) ?? []);
}

/** Return the entry of the order that a layer of the style belongs to, if it can be moved. */
function entryOf(layer: Drawn): string | undefined {
  if (RUN_BUFFERS.includes(layer.id)) return RUN_PICTURE;
  if (SENSOR_DOTS.includes(layer.id)) return SENSORS;
  return layer.type === "symbol" ? undefined : metadataOf(layer)["twin:layer"];
}

const isMark = (layer: Drawn): boolean => layer.type === "circle" || layer.type === "symbol";

/** Return the id of the first layer that must stay above overlays: points and words. */
export function firstMark(map: MapView): string | undefined {
  return drawnLayers(map).find(isMark)?.id;
}

/** Return the layer over which the water of a flood usually lies not: the roads under it, buildings, marks. */
function usualOverWater(layers: readonly Drawn[]): string | undefined {
  const roads = layers.find((layer) => metadataOf(layer)["twin:layer"] === "flooded_roads");
  return (roads ?? layers.find(({ id }) => id === RAISED) ?? layers.find(isMark))?.id;
}

/** Return the id of the layer right above the picture of the run. */
export function firstOverWater(map: MapView): string | undefined {
  const layers = drawnLayers(map);
  const wanted = order.get();
  const at = wanted.indexOf(RUN_PICTURE);
  if (at < 0) return usualOverWater(layers);
  const above = new Set(wanted.slice(0, at).filter((id) => getState().layers.has(id)));
  return (layers.find((layer) => above.has(entryOf(layer) ?? "")) ?? layers.find(({ type }) => type === "symbol"))?.id;
}

/** Whether a layer is chosen, be it drawn at this zoom or not. */
export function isOn(layer: Layer): boolean {
  const state = getState();
  return isPerRun(layer) ? state.product === layer.id : state.layers.has(layer.id);
}

export const entryFor = (layer: Layer): string => (isPerRun(layer) ? RUN_PICTURE : layer.id);

/** Return the entries of the chosen layers as they usually lie, the topmost first. */
function usualEntries(map: MapView): string[] {
  const byId = new Map(drawnLayers(map).map((layer) => [layer.id, layer]));
  const flat = usual.filter((id) => id !== RAISED || getState().threeD);
  const entries = flat.flatMap((id) => entryOf(byId.get(id) ?? { id, type: "symbol" }) ?? []);
  const over = usualOverWater(drawnLayers(map));
  const place = over ? flat.indexOf(over) : flat.length;
  const roads = entries.slice(0, Math.max(place, 0));
  const all = [...roads, RUN_PICTURE, ...entries.slice(roads.length)];
  return [...new Set(all.reverse())];
}

/** Return the entries of the chosen layers in the order in which they lie, the topmost first. */
export function orderedEntries(map: MapView): string[] {
  const chosen = new Set(
    getCatalog()
      .themes.flatMap((theme) => theme.layers)
      .filter((layer) => isOn(layer) && !isEmpty(layer))
      .map(entryFor),
  );
  const natural = usualEntries(map).filter((id) => chosen.has(id));
  const result = order.get().filter((id) => chosen.has(id) && natural.includes(id));
  if (result.length === 0) return natural;
  // What was switched on later comes right above what usually lies below it.
  for (const [at, id] of natural.entries()) {
    if (result.includes(id)) continue;
    const below = natural.slice(at + 1).find((other) => result.includes(other));
    if (below) result.splice(result.indexOf(below), 0, id);
    else result.push(id);
  }
  return result;
}

/** Return all layers of the style from the ground up as they usually lie, each overlay where it is. */
function usualOrder(layers: readonly Drawn[], current: readonly string[]): string[] {
  const known = new Set(usual);
  const sorted = usual.filter((id) => current.includes(id));
  const base = current
    .filter((id) => !RUN_BUFFERS.includes(id) && !SENSOR_DOTS.includes(id))
    .map((id) => (known.has(id) && !SENSOR_DOTS.includes(id) ? null : id));
  const plain = sorted.filter((id) => !SENSOR_DOTS.includes(id));
  const filled = base.map((id) => id ?? (plain.shift() as string));
  const insert = (ids: readonly string[], before: string | undefined): void => {
    const at = before ? filled.indexOf(before) : -1;
    filled.splice(at < 0 ? filled.length : at, 0, ...ids.filter((id) => current.includes(id)));
  };
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  const inOrder = filled.flatMap((id) => byId.get(id) ?? []);
  insert(RUN_BUFFERS, usualOverWater(inOrder));
  const words = inOrder.find(({ type }) => type === "symbol")?.id;
  insert(SENSOR_DOTS, order.get().length > 0 ? words : SENSOR_LABELS);
  return filled;
}

function moveLayers(map: MapView, wanted: readonly string[]): void {
  const live = map.getLayersOrder();
  for (let at = wanted.length - 1; at >= 0; at--) {
    const [id, before] = [wanted[at] as string, wanted[at + 1]];
    const now = live.indexOf(id);
    if (live[now + 1] === before) continue;
    map.moveLayer(id, before);
    live.splice(now, 1);
    live.splice(before ? live.indexOf(before) : live.length, 0, id);
  }
}

/** Bring the layers on the map into the person's order; words and pictograms stay above them. */
export function applyOrder(map: MapView): void {
  const layers = drawnLayers(map);
  if (layers.length === 0) return;
  if (usual.length === 0)
    usual = layers.filter((layer) => entryOf(layer) && !RUN_BUFFERS.includes(layer.id)).map(({ id }) => id);
  if (order.get().length === 0 && !moved) return;
  moved = order.get().length > 0;
  const current = layers.map(({ id }) => id);
  const wanted = usualOrder(layers, current);
  if (moved) {
    const entries = orderedEntries(map);
    const byId = new Map(layers.map((layer) => [layer.id, layer]));
    const rank = (id: string): number => entries.indexOf(entryOf(byId.get(id) as Drawn) ?? "");
    const slots = wanted.flatMap((id, at) => (rank(id) >= 0 ? [at] : []));
    const movable = slots.map((at) => wanted[at] as string);
    const sorted = movable.map((id, at) => ({ id, at, rank: rank(id) })).sort((a, b) => b.rank - a.rank || a.at - b.at);
    for (const [at, slot] of slots.entries()) wanted[slot] = sorted[at]?.id as string;
  }
  moveLayers(map, wanted);
}

/** Whether the layers lie otherwise than usual, so that going back means moving them. */
let moved = false;
