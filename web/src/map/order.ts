/** Where overlays go between the layers of the style. */

import type { Map as MapView } from "maplibre-gl";

/** Return the id of the first layer that must stay above overlays: points and words. */
export function firstMark(map: MapView): string | undefined {
  return map.getStyle().layers.find((layer) => layer.type === "circle" || layer.type === "symbol")?.id;
}
