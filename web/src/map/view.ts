/** The map itself: made once; its style is fetched, prepared and set again when the colours change. */

import {
  type FitBoundsOptions,
  type LngLatBoundsLike,
  type MapOptions,
  Map as MapView,
  ScaleControl,
  type StyleSpecification,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import { readStyle } from "../api";
import { getCity } from "../data";
import { type Camera, setCamera } from "../link";
import { getState } from "../state";
import { isShown, layerOf } from "./layers";

const FONT = "Be Vietnam Pro";
const FONT_SAMPLE = "Aăâđêôơưếộ";

const NARROW = 641;

setWorkerUrl(workerUrl);

/** Draw order: surfaces and lines, then points, then words, whatever layer they belong to. */
function drawClass(type: string): number {
  if (type === "symbol") return 2;
  return type === "circle" ? 1 : 0;
}

/** Labels are drawn from our own font by the browser, so the style needs no glyph files. */
export async function loadLabelFont(): Promise<void> {
  try {
    await document.fonts.load(`400 24px "${FONT}"`, FONT_SAMPLE);
  } catch {
    // The map then falls back to the system's sans-serif.
  }
}

/** Behind a proxy the server may name itself otherwise than the browser does: only the path counts. */
function readFromHere(address: string): string {
  const url = new URL(address, location.href);
  return location.origin + decodeURI(url.pathname) + url.search;
}

/** Make the server's style one that this page can draw, with the chosen layers shown. */
export function prepareStyle(style: StyleSpecification): StyleSpecification {
  delete style.glyphs;
  if (typeof style.sprite === "string") style.sprite = readFromHere(style.sprite);
  for (const source of Object.values(style.sources)) {
    if (source.type === "vector" && source.tiles) source.tiles = source.tiles.map(readFromHere);
  }
  const state = getState();
  for (const layer of style.layers) {
    if (layer.type === "background") continue;
    if (layer.type === "symbol") layer.layout = { ...layer.layout, "text-font": [FONT] };
    const id = layerOf(layer);
    if (id) layer.layout = { ...layer.layout, visibility: isShown(id, layer, state) ? "visible" : "none" };
  }
  style.layers = [...style.layers].sort((a, b) => drawClass(a.type) - drawClass(b.type));
  return style;
}

/** Fetch the style of the chosen colours and set it. */
export async function applyStyle(map: MapView): Promise<void> {
  const scheme = getState().scheme;
  const style = (await readStyle(scheme)) as StyleSpecification;
  if (getState().scheme !== scheme) return;
  map.setStyle(prepareStyle(style), { diff: false });
}

/** Ask for what a map needs before there is one: its style and the font of its labels. */
export async function prepareMap(): Promise<StyleSpecification> {
  const [style] = await Promise.all([readStyle(getState().scheme), loadLabelFont()]);
  return style as StyleSpecification;
}

/** Make the map in `container` and keep its camera in the link. */
export function createMap(container: HTMLElement, camera: Camera | null, style: StyleSpecification): MapView {
  const place: Partial<MapOptions> = camera
    ? { center: [camera.lon, camera.lat], zoom: camera.zoom, bearing: camera.bearing, pitch: camera.pitch }
    : { bounds: getCity().bounds as LngLatBoundsLike, fitBoundsOptions: { padding: 24 } };
  const map = new MapView({
    container,
    style: prepareStyle(style),
    attributionControl: { compact: true, customAttribution: getCity().attribution },
    maxPitch: 70,
    maxZoom: 20,
    minZoom: 5,
    dragRotate: true,
    // Labels stand at once: a fade draws the whole map again and again, which a machine without a graphics card feels.
    fadeDuration: 0,
    ...place,
  });
  map.addControl(new ScaleControl({ unit: "metric", maxWidth: 110 }), "bottom-left");
  // On a narrow screen the long line of sources folds into its button once it was shown.
  map.once("idle", () => {
    if (container.clientWidth < NARROW) {
      container.querySelector(".maplibregl-ctrl-attrib")?.classList.remove("maplibregl-compact-show");
      container.querySelector("details.maplibregl-ctrl-attrib")?.removeAttribute("open");
    }
  });
  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    setCamera({ lon: lng, lat, zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() });
  });
  return map;
}

export function showCity(map: MapView, options: FitBoundsOptions = {}): void {
  const pitch = getState().threeD ? 50 : 0;
  map.fitBounds(getCity().bounds as LngLatBoundsLike, { padding: 24, pitch, bearing: 0, ...options });
}

/** Return what the map shows once it has come to rest; it can be read only while a frame is drawn. */
export async function takePicture(map: MapView): Promise<string> {
  const rest = map.once("idle");
  map.triggerRepaint();
  await rest;
  return new Promise((resolve) => {
    map.once("render", () => resolve(map.getCanvas().toDataURL("image/jpeg", 0.85)));
    map.triggerRepaint();
  });
}
