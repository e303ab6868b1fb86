/** Which of the style's layers are drawn: the tree's choice, the third dimension, rasters of the city. */

import type { FillExtrusionLayerSpecification, LayerSpecification, Map as MapView } from "maplibre-gl";
import { findLayer, getCatalog } from "../data";
import { getState, type State } from "../state";
import { applyOpacities } from "./opacity";
import { applyOrder, firstMark } from "./order";

const BUILDINGS = "buildings";
const BUILDINGS_3D = "buildings-3d";
const SENSORS = "sensors";

/** Return the id of the catalog layer that a style layer draws. */
export function layerOf(layer: { metadata?: unknown }): string | undefined {
  return (layer.metadata as Record<string, string> | undefined)?.["twin:layer"];
}

/** Whether a style layer is drawn. Sensors are drawn from live readings instead of tiles. */
export function isShown(id: string, layer: { type: string }, state: Readonly<State>): boolean {
  if (id === SENSORS) return false;
  if (id === BUILDINGS && state.threeD && layer.type !== "symbol") return false;
  return state.layers.has(id);
}

function setShown(map: MapView, id: string, shown: boolean): void {
  const visibility = shown ? "visible" : "none";
  if (map.getLayoutProperty(id, "visibility") !== visibility) map.setLayoutProperty(id, "visibility", visibility);
}

/** Bring every style layer in step with the state: whether it is drawn, above which others, how much it covers. */
export function applyVisibility(map: MapView): void {
  const state = getState();
  // A panel may choose layers before the style has come; it is brought in step when it has.
  for (const layer of map.getStyle()?.layers ?? []) {
    const id = layerOf(layer);
    if (!id || layer.id === BUILDINGS_3D) continue;
    const catalogLayer = findLayer(id);
    if (catalogLayer?.kind === "raster") setShown(map, layer.id, state.layers.has(id));
    else setShown(map, layer.id, isShown(id, layer, state));
  }
  if (map.getLayer(BUILDINGS_3D)) setShown(map, BUILDINGS_3D, state.threeD && state.layers.has(BUILDINGS));
  applyOrder(map);
  applyOpacities(map);
}

/** Add the extruded buildings in the colours of their flat layer. */
export function addBuildings3d(map: MapView): void {
  const flat = map.getStyle().layers.find((layer) => layer.id === BUILDINGS && layer.type === "fill");
  if (flat?.type !== "fill") return;
  const extrusion: FillExtrusionLayerSpecification = {
    id: BUILDINGS_3D,
    type: "fill-extrusion",
    source: flat.source,
    "source-layer": flat["source-layer"] ?? BUILDINGS,
    minzoom: flat.minzoom ?? 0,
    metadata: flat.metadata,
    layout: { visibility: "none" },
    paint: {
      "fill-extrusion-color": (flat.paint?.["fill-color"] ?? "#d9cec2") as string,
      "fill-extrusion-height": [
        "case",
        [">", ["to-number", ["get", "height"], 0], 0],
        ["to-number", ["get", "height"], 0],
        4,
      ],
      "fill-extrusion-opacity": 0.92,
    },
  };
  map.addLayer(extrusion, firstMark(map));
}

/** Add the rasters that belong to the city itself, such as the terrain. */
export function addCityRasters(map: MapView): void {
  const before = map.getStyle().layers.find((layer) => layer.type !== "background")?.id;
  const surface = map.getStyle().layers.find((layer: LayerSpecification) => layer.type === "line")?.id ?? before;
  for (const layer of getCatalog().themes.flatMap((theme) => theme.layers)) {
    if (layer.kind !== "raster" || layer.raster_id === null) continue;
    const tiles = `${location.origin}/tiles/raster/${layer.raster_id}/{z}/{x}/{y}.png`;
    map.addSource(layer.id, { type: "raster", tiles: [tiles], tileSize: 256, maxzoom: 16 });
    map.addLayer(
      {
        id: layer.id,
        type: "raster",
        source: layer.id,
        metadata: { "twin:layer": layer.id },
        layout: { visibility: getState().layers.has(layer.id) ? "visible" : "none" },
        paint: { "raster-opacity": 0.8 },
      },
      surface,
    );
  }
}
