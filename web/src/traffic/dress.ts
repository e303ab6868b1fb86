/** Paint of the style's layers that traffic draws in its own way; applied again whenever the style comes anew. */

import type { Map as MapView } from "maplibre-gl";
import { layerOf } from "../map/layers";

/** Set properties of paint on the lines of a catalog layer, not on their outlines. */
export function dressLines(map: MapView, layer: string, paint: Record<string, unknown>): void {
  const apply = (): void => {
    for (const own of map.getStyle()?.layers ?? []) {
      if (own.type !== "line" || layerOf(own) !== layer || /-(outline|casing)$/.test(own.id)) continue;
      for (const [name, value] of Object.entries(paint))
        map.setPaintProperty(own.id, name as "line-width", value as never);
    }
  };
  map.on("style.load", apply);
  apply();
}
