/** Maps of the whole city for the report: the deepest water, and how likely it is. */

import type { Map as MapView, StyleSpecification } from "maplibre-gl";
import { readStyle } from "../api";
import { getCity } from "../data";
import { prepareStyle } from "../map/view";
import { takePaperPicture } from "../tools/print-picture";
import type { Run } from "../types";

const WIDTH_MM = 86;
const DPI = 160;
const METRES_PER_DEGREE = 111_320;
const MARGIN = 1.06;
const FLOOD = "report-flood";

/** The layers of a run that are pictured, the deepest water first. */
export const PICTURED = ["flood_depth_max", "flood_probability_03"] as const;

export interface MapOfRun {
  layer: string;
  url: string;
}

/** Return the light style, which paper wants, with one layer of a run below its points and words. */
async function styleWith(run: Run, layer: string): Promise<StyleSpecification> {
  const style = prepareStyle((await readStyle("light")) as StyleSpecification);
  const raster = run.rasters.find((one) => one.layer === layer);
  if (!raster) return style;
  const layers = [...style.layers];
  const place = layers.findIndex(({ type }) => type === "circle" || type === "symbol");
  layers.splice(place < 0 ? layers.length : place, 0, {
    id: FLOOD,
    type: "raster",
    source: FLOOD,
    paint: { "raster-opacity": 0.85, "raster-fade-duration": 0 },
  });
  const source = {
    type: "raster" as const,
    tiles: [location.origin + raster.tiles],
    tileSize: 256,
    bounds: raster.bounds,
    maxzoom: 17,
  };
  return { ...style, layers, sources: { ...style.sources, [FLOOD]: source } };
}

/** Return the map as it would be with another style, over the whole city, north up. */
function wholeCity(map: MapView, style: StyleSpecification): MapView {
  const [west, south, east, north] = getCity().bounds;
  const view = {
    getStyle: () => style,
    getCenter: () => ({ lng: (west + east) / 2, lat: (south + north) / 2 }),
    getBearing: () => 0,
    getPitch: () => 0,
    getMaxPitch: () => map.getMaxPitch(),
    getImage: (id: string) => map.getImage(id),
  };
  return view as unknown as MapView;
}

/** Height on paper and scale of a map that holds the whole city. */
export function sizeOfMap(): { width: number; height: number; scale: number } {
  const [west, south, east, north] = getCity().bounds;
  const wide = (east - west) * METRES_PER_DEGREE * Math.cos((((south + north) / 2) * Math.PI) / 180) * MARGIN;
  const high = (north - south) * METRES_PER_DEGREE * MARGIN;
  const height = Math.min(Math.max((WIDTH_MM * high) / wide, 50), 110);
  return { width: WIDTH_MM, height, scale: Math.max((wide / WIDTH_MM) * 1000, (high / height) * 1000) };
}

/** Draw the maps of a run. */
export async function drawMaps(map: MapView, run: Run, signal: AbortSignal): Promise<MapOfRun[]> {
  const { width, height, scale } = sizeOfMap();
  const found: MapOfRun[] = [];
  for (const layer of PICTURED) {
    if (!run.rasters.some((raster) => raster.layer === layer)) continue;
    const copy = wholeCity(map, await styleWith(run, layer));
    const { url } = await takePaperPicture(copy, { width, height, dpi: DPI, scale }, signal);
    found.push({ layer, url });
  }
  return found;
}
