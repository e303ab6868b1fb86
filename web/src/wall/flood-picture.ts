/** The flood picture of a small map: the newest run, at its moment nearest to now or at its largest depths. */

import type { Map as MapView } from "maplibre-gl";
import { readRun, readRuns } from "../api";
import { chooseLatest, isFlood } from "../data";
import { firstOverWater } from "../map/order";
import type { Run, RunRaster } from "../types";

const SOURCE = "wall-flood";

export type Moment = "now" | "peak";

/** What is drawn: the moment of the picture, null for the largest depths of the run. */
export interface Picture {
  run: Run;
  raster: RunRaster;
  time: string | null;
}

/** Return the newest flood run, null where there is none. */
export async function readNewestFlood(): Promise<Run | null> {
  const floods = (await readRuns()).filter((run) => run.status === "successful" && isFlood(run.process));
  const newest = chooseLatest(floods);
  return newest ? readRun(newest.id) : null;
}

/** Choose the picture of a run for a moment; the largest depths where it keeps none by time. */
export function choosePicture(run: Run, moment: Moment): Picture | null {
  const find = (layer: string): RunRaster | undefined => run.rasters.find((raster) => raster.layer === layer);
  const timed = find("flood_depth");
  if (moment === "now" && timed?.times) {
    const gap = (time: string): number => Math.abs(Date.parse(time) - Date.now());
    const time = timed.times.reduce((best, one) => (gap(one) < gap(best) ? one : best));
    return { run, raster: timed, time };
  }
  const largest = find("flood_depth_max");
  return largest ? { run, raster: largest, time: null } : null;
}

/** Draw a picture in the place of the last. */
export function drawPicture(map: MapView, picture: Picture | null): void {
  if (map.getLayer(SOURCE)) map.removeLayer(SOURCE);
  if (map.getSource(SOURCE)) map.removeSource(SOURCE);
  if (!picture) return;
  const query = picture.time ? `?time=${encodeURIComponent(picture.time)}` : "";
  map.addSource(SOURCE, {
    type: "raster",
    tiles: [`${location.origin}${picture.raster.tiles}${query}`],
    tileSize: 256,
    bounds: picture.raster.bounds,
    maxzoom: 17,
  });
  const paint = { "raster-opacity": 0.85, "raster-fade-duration": 0 };
  map.addLayer({ id: SOURCE, type: "raster", source: SOURCE, paint }, firstOverWater(map));
}
