/** How much each layer covers what lies below it: a share of what its style says. */

import type { Map as MapView } from "maplibre-gl";
import { makeSlice } from "../slices";
import { SENSOR_LAYERS } from "./sensors";

const PROPERTIES: Record<string, readonly string[]> = {
  fill: ["fill-opacity"],
  line: ["line-opacity"],
  circle: ["circle-opacity", "circle-stroke-opacity"],
  symbol: ["icon-opacity", "text-opacity"],
  raster: ["raster-opacity"],
  "fill-extrusion": ["fill-extrusion-opacity"],
};

export type Opacities = Readonly<Record<string, number>>;

function readOpacities(text: string | null): Opacities {
  const pairs = (text ?? "").split(",").map((pair) => pair.split(":"));
  const read = pairs.map(([id, percent]): [string, number] => [id ?? "", Number(percent) / 100]);
  return Object.fromEntries(read.filter(([id, share]) => /^\w+$/.test(id) && share >= 0 && share < 1));
}

const writeOpacities = (value: Opacities): string | null =>
  Object.entries(value)
    .map(([id, share]) => `${id}:${Math.round(share * 100)}`)
    .join(",") || null;

/** Shares by layer; a layer that is not there is drawn as its style says. */
export const opacities = makeSlice<Opacities>("opacity", readOpacities, writeOpacities);

/** What was written over the style's own value; known again by what was written. */
const written = new Map<string, { base: unknown; value: string }>();

/** Multiply a value of the style; where it follows the zoom each of its outputs is multiplied. */
function scale(value: unknown, share: number): unknown {
  if (value === undefined) return share;
  if (typeof value === "number") return value * share;
  if (!Array.isArray(value)) return value;
  const follows = JSON.stringify(value).includes('["zoom"]');
  if (!follows) return ["*", share, value];
  const first = value[0] === "step" ? 2 : 4;
  const isOutput = (at: number): boolean => at >= first && (at - first) % 2 === 0;
  return value.map((entry: unknown, at) => (isOutput(at) ? scale(entry, share) : entry));
}

function applyTo(map: MapView, id: string, property: string, share: number): void {
  const key = `${id} ${property}`;
  const now: unknown = map.getPaintProperty(id, property as "fill-opacity");
  const before = written.get(key);
  // A style that came anew, or a panel that dresses its layers, has its own value there.
  const base = before && before.value === JSON.stringify(now) ? before.base : now;
  if (share === 1 && base === now) return;
  const value = share === 1 ? base : scale(base, share);
  map.setPaintProperty(id, property as "fill-opacity", value as never);
  if (share === 1) written.delete(key);
  else written.set(key, { base, value: JSON.stringify(value) });
}

/** Bring every layer of the style in step with the chosen shares. */
export function applyOpacities(map: MapView): void {
  const chosen = opacities.get();
  if (Object.keys(chosen).length === 0 && written.size === 0) return;
  for (const id of map.getLayersOrder()) {
    const layer = map.getLayer(id);
    if (!layer) continue;
    const own = (layer.metadata as Record<string, string> | undefined)?.["twin:layer"];
    const entry = (SENSOR_LAYERS as readonly string[]).includes(id) ? "sensors" : own;
    if (!entry) continue;
    for (const property of PROPERTIES[layer.type] ?? []) applyTo(map, id, property, chosen[entry] ?? 1);
  }
}

/** Draw a layer with a share of its opacity. */
export function setLayerOpacity(map: MapView, layer: string, share: number): void {
  const { [layer]: _, ...others } = opacities.get();
  opacities.set(share < 1 ? { ...others, [layer]: share } : others);
  applyOpacities(map);
}
