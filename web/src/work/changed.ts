/** What was written to the inventory: map, card and counts follow at once, and whoever listens is told. */

import type { Map as MapView } from "maplibre-gl";
import { readItems } from "../api";
import { announce, findVectorLayer } from "../data";
import { getState, setState } from "../state";

type Listener = (layers: readonly string[]) => void;

const listeners: Listener[] = [];

/** Be told which layers were written to. */
export const onWritten = (listener: Listener): number => listeners.push(listener);

async function recount(id: string): Promise<void> {
  const layer = findVectorLayer(id);
  const { numberMatched } = await readItems(id, { limit: "1", skipGeometry: "true" });
  if (layer && numberMatched !== undefined) layer.count = numberMatched;
}

/** Bring the page in step after layers were written to. */
export async function tellWritten(map: MapView, layers: readonly string[]): Promise<void> {
  const { selection } = getState();
  for (const layer of layers) if (map.getSource(layer)) map.refreshTiles(layer);
  if (selection && layers.includes(selection.layer)) setState({ selection: { ...selection } });
  // Counts are words beside the layers: without them the page is still right.
  await Promise.allSettled(layers.map(recount));
  announce("items");
  for (const listener of listeners) listener(layers);
}
