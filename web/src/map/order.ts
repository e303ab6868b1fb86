/** Where overlays go between the layers of the style. */

import type { Map as MapView } from "maplibre-gl";

/** Return the id of the first layer that must stay above overlays: points and words. */
export function firstMark(map: MapView): string | undefined {
  return map.getStyle().layers.find((layer) => layer.type === "circle" || layer.type === "symbol")?.id;
}

/** Return the id of the first layer that is seen over the water of a flood: the roads under it, buildings, marks. */
export function firstOverWater(map: MapView): string | undefined {
  const metadata = (layer: { metadata?: unknown }): Record<string, string> =>
    (layer.metadata as Record<string, string> | undefined) ?? {};
  const roads = map.getStyle().layers.find((layer) => metadata(layer)["twin:layer"] === "flooded_roads");
  return roads?.id ?? (map.getLayer("buildings-3d") ? "buildings-3d" : firstMark(map));
}
