/** The colours in which a layer is drawn now: those of the style, which differ by day and night. */

import type { Map as MapView } from "maplibre-gl";
import type { Layer, LegendEntry } from "../types";

const PAINTS: Record<string, string> = { fill: "fill-color", line: "line-color", circle: "circle-color" };

const isClear = (color: string): boolean => /,\s*0\)$/.test(color);

/** Return the colour that an expression of the style gives to a value. */
function pickColor(expression: unknown, value: LegendEntry["value"]): string | null {
  if (typeof expression === "string") return expression;
  if (!Array.isArray(expression)) return null;
  const [kind, ...parts] = expression as unknown[];
  if (kind !== "match" && kind !== "step") return null;
  // Behind the input a match has pairs; a step has the colour below the first bound before them.
  const pairs = parts.slice(kind === "match" ? 1 : 2);
  const at = pairs.findIndex((part, place) => place % 2 === 0 && String(part) === String(value));
  const color = at < 0 ? null : pairs[at + 1];
  return typeof color === "string" ? color : null;
}

function readColor(map: MapView, id: string, value: LegendEntry["value"]): string | null {
  const drawn = map.getLayer(id);
  const property = drawn && PAINTS[drawn.type];
  return property ? pickColor(map.getPaintProperty(id, property as "fill-color"), value) : null;
}

/** Return the colour of an entry of a layer's legend; what has no filling is known by its outline. */
export function drawnColor(map: MapView, layer: Layer, { value, color }: LegendEntry): string {
  if (layer.kind === "raster" || layer.id === "sensors") return color;
  const inside = readColor(map, layer.id, value);
  if (inside && !isClear(inside)) return inside;
  return readColor(map, `${layer.id}-outline`, value) ?? color;
}
