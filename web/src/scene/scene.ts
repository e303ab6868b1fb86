/** The city in three dimensions: ground, buildings and water rise together, and by the same factor. */

import type { ExpressionSpecification, GeoJSONSource, Map as MapView } from "maplibre-gl";
import { findRasterLayer, onData, shownRaster } from "../data";
import { firstOverWater } from "../map/order";
import { makeSlice } from "../slices";
import { getState, watch } from "../state";
import { readWaterCells } from "./water-cells";

const GROUND = "ground";
const WATER = "water-3d";
const BUILDINGS = "buildings-3d";
/** Layers of a run that are depths of water. */
const DEPTHS: readonly string[] = ["flood_depth", "flood_depth_max"];
/** Nearer than this, water is drawn as blocks; farther off the picture on the ground says the same. */
const NEAR_ZOOM = 13.5;
const WAIT_MS = 150;
/** Height of a building of which none is known [m]. */
const USUAL_HEIGHT = 4;

export const RISES = [1, 2, 5, 10] as const;

/** How many times higher than wide the third dimension is drawn. */
export const rise = makeSlice<number>(
  "rise",
  (text) => RISES.find((one) => String(one) === text) ?? 1,
  (value) => (value === 1 ? null : String(value)),
);

/** Colours of the legend as an expression of the depth. */
function waterColor(layer: string): ExpressionSpecification | string {
  const entries = (findRasterLayer(layer)?.legend ?? [])
    .map(({ value, color }) => ({ value: Number(value), color }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => a.value - b.value);
  const [first, ...others] = entries;
  if (!first) return "#3d8fd1";
  if (others.length === 0) return first.color;
  return [
    "step",
    ["get", "depth"],
    first.color,
    ...others.flatMap(({ value, color }) => [value, color]),
  ] as ExpressionSpecification;
}

function raiseBuildings(map: MapView): void {
  if (!map.getLayer(BUILDINGS)) return;
  const known: ExpressionSpecification = ["to-number", ["get", "height"], 0];
  const height: ExpressionSpecification = ["case", [">", known, 0], known, USUAL_HEIGHT];
  map.setPaintProperty(BUILDINGS, "fill-extrusion-height", ["*", height, rise.get()]);
}

function raiseBlocks(map: MapView): void {
  if (map.getLayer(WATER)) {
    map.setPaintProperty(WATER, "fill-extrusion-height", ["*", ["get", "depth"], rise.get()]);
  }
}

function raiseGround(map: MapView): void {
  const ground = findRasterLayer("terrain");
  if (!ground?.raster_id) return;
  if (!map.getSource(GROUND)) {
    map.addSource(GROUND, {
      type: "raster-dem",
      url: `${location.origin}/tiles/raster/${ground.raster_id}.json?encoding=terrarium`,
    });
  }
  map.setTerrain({ source: GROUND, exaggeration: rise.get() });
}

let asked: AbortController | null = null;

function addWater(map: MapView, layer: string): GeoJSONSource {
  const data: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
  if (!map.getSource(WATER)) map.addSource(WATER, { type: "geojson", data, tolerance: 0, buffer: 0, maxzoom: 15 });
  if (!map.getLayer(WATER)) {
    map.addLayer({ id: WATER, type: "fill-extrusion", source: WATER }, firstOverWater(map));
    map.setPaintProperty(WATER, "fill-extrusion-opacity", 0.72);
    map.setPaintProperty(WATER, "fill-extrusion-vertical-gradient", false);
  }
  map.setPaintProperty(WATER, "fill-extrusion-color", waterColor(layer));
  raiseBlocks(map);
  return map.getSource<GeoJSONSource>(WATER)!;
}

function dropWater(map: MapView): void {
  asked?.abort();
  if (map.getLayer(WATER)) map.removeLayer(WATER);
  if (map.getSource(WATER)) map.removeSource(WATER);
}

async function raiseWater(map: MapView): Promise<void> {
  const raster = shownRaster();
  if (!raster || !DEPTHS.includes(raster.layer) || map.getZoom() < NEAR_ZOOM) {
    dropWater(map);
    return;
  }
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  const bounds = map.getBounds();
  const view = { west: bounds.getWest(), south: bounds.getSouth(), east: bounds.getEast(), north: bounds.getNorth() };
  try {
    const cells = await readWaterCells(raster, getState().time, view, signal);
    if (!signal.aborted && getState().threeD) addWater(map, raster.layer).setData(cells);
  } catch (error) {
    if (!signal.aborted) console.warn("water:", error);
  }
}

/** Keep the third dimension in step with the state; called once, when it is first asked for. */
export function followScene(map: MapView): void {
  let waiting = 0;
  const water = (): void => {
    clearTimeout(waiting);
    if (!getState().threeD) return;
    waiting = window.setTimeout(() => void raiseWater(map), WAIT_MS);
  };
  const update = (): void => {
    if (!getState().threeD) {
      clearTimeout(waiting);
      map.setTerrain(null);
      dropWater(map);
      return;
    }
    raiseGround(map);
    raiseBuildings(map);
    raiseBlocks(map);
    water();
  };
  map.on("style.load", update);
  map.on("moveend", water);
  watch(["threeD"], update);
  watch(["time", "product"], water);
  onData("run", water);
  rise.watch(update);
  update();
}
