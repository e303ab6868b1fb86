/** Ticked rows and the row under the pointer, on the map. */

import type { Map as MapView } from "maplibre-gl";
import { boundsOf, bringInView } from "../map/pick";
import type { Item } from "../types";
import { readShapes } from "./api";
import { chosenOf } from "./chosen";
import { drawChosen, drawPointed } from "./on-map";

const WAIT_MS = 120;
const MOST_KEPT = 2000;

/** Keep the map in step with the rows; where items lie is read once. */
export function followRows(map: MapView): {
  show: (layer: string) => void;
  point: (layer: string, id: string | null) => void;
  /** Bring an item in sight that is not. */
  seek: (layer: string, id: string) => void;
  clear: () => void;
} {
  const known = new Map<string, GeoJSON.Geometry>();
  let waiting = 0;
  let ticket = 0;
  let pointed: string | null = null;

  const read = async (layer: string, ids: readonly string[]): Promise<GeoJSON.Geometry[]> => {
    const missing = ids.filter((id) => !known.has(`${layer}/${id}`));
    const items: Item[] = missing.length > 0 ? await readShapes(layer, missing) : [];
    if (known.size > MOST_KEPT) known.clear();
    for (const { id, geometry } of items) if (geometry) known.set(`${layer}/${id}`, geometry);
    return ids.flatMap((id) => known.get(`${layer}/${id}`) ?? []);
  };
  const show = (layer: string): void => {
    const mine = ++ticket;
    read(layer, [...chosenOf(layer)]).then(
      (geometries) => {
        if (mine === ticket) drawChosen(map, geometries);
      },
      (error: unknown) => console.warn("rows:", error),
    );
  };
  const point = (layer: string, id: string | null): void => {
    clearTimeout(waiting);
    if (id === pointed) return;
    pointed = id;
    if (id === null) {
      drawPointed(map, null);
      return;
    }
    waiting = window.setTimeout(() => {
      read(layer, [id]).then(
        ([geometry]) => {
          if (id === pointed) drawPointed(map, geometry ?? null);
        },
        (error: unknown) => console.warn("rows:", error),
      );
    }, WAIT_MS);
  };
  const seek = (layer: string, id: string): void => {
    read(layer, [id]).then(
      ([geometry]) => {
        if (geometry) bringInView(map, boundsOf(geometry));
      },
      (error: unknown) => console.warn("rows:", error),
    );
  };
  const clear = (): void => {
    ticket++;
    drawChosen(map, []);
    point("", null);
  };
  return { show, point, seek, clear };
}
