/** The flood picture: two buffers, so the next moment is loaded unseen and then takes the place of the last. */

import type { Map as MapView } from "maplibre-gl";
import { run, shownRaster } from "../data";
import { getState } from "../state";
import type { RunRaster } from "../types";
import { firstOverWater } from "./order";

const BUFFERS = ["flood-a", "flood-b"] as const;
const POLL_MS = 40;
const PATIENCE_MS = 8000;
const MAX_ZOOM = 17;

let front: 0 | 1 = 0;
let urls: [string | null, string | null] = [null, null];
let request = 0;

function tileUrl(raster: RunRaster, time: string | null): string {
  const query = raster.times && time ? `?time=${encodeURIComponent(time)}` : "";
  return `${location.origin}${raster.tiles}${query}`;
}

function clearBuffer(map: MapView, buffer: 0 | 1): void {
  const id = BUFFERS[buffer];
  if (map.getLayer(id)) map.removeLayer(id);
  if (map.getSource(id)) map.removeSource(id);
  urls[buffer] = null;
}

function fillBuffer(map: MapView, buffer: 0 | 1, raster: RunRaster, url: string): void {
  if (urls[buffer] === url && map.getSource(BUFFERS[buffer])) return;
  clearBuffer(map, buffer);
  const id = BUFFERS[buffer];
  map.addSource(id, { type: "raster", tiles: [url], tileSize: 256, bounds: raster.bounds, maxzoom: MAX_ZOOM });
  map.addLayer(
    {
      id,
      type: "raster",
      source: id,
      paint: {
        "raster-opacity": 0,
        // A fade that is started anew at every moment would leave a slow machine with no water at all.
        "raster-opacity-transition": { duration: 0, delay: 0 },
        "raster-fade-duration": 0,
      },
    },
    firstOverWater(map),
  );
  urls[buffer] = url;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => window.setTimeout(resolve, ms));

async function waitLoaded(map: MapView, buffer: 0 | 1, ticket: number): Promise<void> {
  const started = performance.now();
  while (ticket === request && performance.now() - started < PATIENCE_MS) {
    await pause(POLL_MS);
    if (!map.getSource(BUFFERS[buffer]) || map.isSourceLoaded(BUFFERS[buffer])) return;
  }
}

function setOpacity(map: MapView, buffer: 0 | 1, opacity: number): void {
  if (map.getLayer(BUFFERS[buffer])) map.setPaintProperty(BUFFERS[buffer], "raster-opacity", opacity);
}

const nextPicture = (map: MapView): Promise<void> =>
  new Promise((resolve) => {
    map.once("render", () => resolve());
    map.triggerRepaint();
  });

/** Draw the chosen product of the run at the chosen time; resolves when it is on the screen. */
export async function drawFlood(map: MapView): Promise<void> {
  const ticket = ++request;
  const raster = shownRaster();
  if (!raster) {
    clearBuffer(map, 0);
    clearBuffer(map, 1);
    return;
  }
  const { time } = getState();
  // The moment is of another run, which is still being read: there is no picture of it in this one.
  if (time && raster.times && !raster.times.includes(time)) return;
  const url = tileUrl(raster, time);
  if (urls[front] === url && map.getLayer(BUFFERS[front])) {
    setOpacity(map, front, getState().opacity);
    return;
  }
  const back = front === 0 ? 1 : 0;
  fillBuffer(map, back, raster, url);
  await waitLoaded(map, back, ticket);
  if (ticket !== request) return;
  setOpacity(map, back, getState().opacity);
  setOpacity(map, front, 0);
  front = back;
  await nextPicture(map);
}

/** Load the moment after `time` into the hidden buffer. */
export async function preloadFlood(map: MapView, next: string): Promise<void> {
  const ticket = request;
  await pause(POLL_MS);
  const raster = shownRaster();
  if (ticket !== request || !raster?.times) return;
  fillBuffer(map, front === 0 ? 1 : 0, raster, tileUrl(raster, next));
}

export function setFloodOpacity(map: MapView): void {
  setOpacity(map, front, getState().opacity);
}

/** Draw again after the style was replaced, which takes every overlay with it. */
export function restoreFlood(map: MapView): void {
  urls = [null, null];
  if (run) void drawFlood(map);
}
