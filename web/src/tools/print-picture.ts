/** The map at the resolution of paper: a second map of the paper's size, made into a picture and thrown away. */

import { Map as MapView } from "maplibre-gl";
import { layerOf } from "../map/layers";
import { metresPerPixel } from "../map/scale";
import { SENSOR_LAYERS } from "../map/sensors";

const SCREEN_DPI = 96;
const MM_PER_INCH = 25.4;
const LARGEST_CANVAS = 8192;
const PATIENCE_MS = 90_000;
const QUALITY = 0.92;
const COARSE = 0.25;
const STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5, 10];

export interface PictureSize {
  /** Width and height on paper [mm]. */
  width: number;
  height: number;
  dpi: number;
  /** Denominator of the scale, or null for one that shows what the screen shows. */
  scale: number | null;
}

export interface Picture {
  url: string;
  /** Denominator of the scale in the middle, null where the map is tilted and has none. */
  scale: number | null;
  bearing: number;
  /** North-west and south-east corner as the map is turned, null where it is tilted. */
  corners: [[number, number], [number, number]] | null;
  /** Ids of the layers of which something is in the picture. */
  layers: ReadonlySet<string>;
}

export const pixelsOf = (millimetres: number): number => (millimetres / MM_PER_INCH) * SCREEN_DPI;

/** Metres of ground a pixel of paper shows at a scale. */
const paperPixel = (scale: number): number => (scale * MM_PER_INCH) / SCREEN_DPI / 1000;

/** Return the next round denominator of a scale. */
function roundScale(scale: number): number {
  const power = 10 ** Math.floor(Math.log10(scale));
  return (STEPS.find((step) => step * power >= scale * 0.999) ?? 10) * power;
}

/** Return the scale at which the paper shows at least what the screen shows. */
export function fitScale(map: MapView, width: number, height: number): number {
  const { clientWidth, clientHeight } = map.getContainer();
  const ratio = Math.max(clientWidth / pixelsOf(width), clientHeight / pixelsOf(height));
  const metres = metresPerPixel(map.getZoom(), map.getCenter().lat) * ratio;
  return roundScale(metres / paperPixel(1));
}

const rest = (ms = 0): Promise<void> => new Promise((resolve) => window.setTimeout(resolve, ms));

/** Give a copy of the map the pictures that programs added to its style. */
function shareImages(from: MapView, to: MapView): void {
  to.on("styleimagemissing", ({ id }: { id: string }) => {
    const image = from.getImage(id);
    if (image && !to.hasImage(id)) to.addImage(id, image.data, { pixelRatio: image.pixelRatio, sdf: image.sdf });
  });
}

/** Return the layers of which something is drawn; one question a layer, so that the page stays quick. */
async function findDrawn(map: MapView): Promise<Set<string>> {
  const found = new Set<string>();
  for (const layer of map.getStyle().layers) {
    const id = (SENSOR_LAYERS as readonly string[]).includes(layer.id) ? "sensors" : layerOf(layer);
    if (!id || found.has(id) || map.getLayoutProperty(layer.id, "visibility") === "none") continue;
    if (layer.type === "raster") found.add(id);
    else if (map.queryRenderedFeatures({ layers: [layer.id] }).length > 0) found.add(id);
    await rest();
  }
  return found;
}

function findCorners(map: MapView): Picture["corners"] {
  if (map.getPitch() > 0) return null;
  const { clientWidth, clientHeight } = map.getContainer();
  const [first, last] = [map.unproject([0, 0]), map.unproject([clientWidth, clientHeight])];
  return [
    [first.lng, first.lat],
    [last.lng, last.lat],
  ];
}

const toBlob = (canvas: HTMLCanvasElement): Promise<Blob> =>
  new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/jpeg", QUALITY),
  );

async function waitIdle(map: MapView, signal: AbortSignal): Promise<void> {
  await Promise.race([
    new Promise<void>((resolve) => map.once("idle", () => resolve())),
    rest(PATIENCE_MS),
    new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
  ]);
  signal.throwIfAborted();
}

/** Draw what the map shows on paper of a size. */
export async function takePaperPicture(map: MapView, size: PictureSize, signal: AbortSignal): Promise<Picture> {
  const scale = size.scale ?? fitScale(map, size.width, size.height);
  const center = map.getCenter();
  const zoom = Math.log2(metresPerPixel(0, center.lat) / paperPixel(scale));
  const container = document.createElement("div");
  container.className = "paper-map";
  container.setAttribute("aria-hidden", "true");
  container.style.width = `${pixelsOf(size.width)}px`;
  container.style.height = `${pixelsOf(size.height)}px`;
  document.body.append(container);
  const copy = new MapView({
    container,
    style: map.getStyle(),
    center,
    zoom,
    bearing: map.getBearing(),
    pitch: map.getPitch(),
    maxPitch: map.getMaxPitch(),
    minZoom: 0,
    maxZoom: 24,
    // Coarse while tiles come, which redraws it again and again; fine only for the last time.
    pixelRatio: COARSE,
    maxCanvasSize: [LARGEST_CANVAS, LARGEST_CANVAS],
    interactive: false,
    attributionControl: false,
    fadeDuration: 0,
    canvasContextAttributes: { preserveDrawingBuffer: true },
  });
  shareImages(map, copy);
  copy.on("error", (event) => console.warn("paper:", event.error?.message ?? event));
  try {
    await waitIdle(copy, signal);
    const layers = await findDrawn(copy);
    copy.setPixelRatio(size.dpi / SCREEN_DPI);
    await waitIdle(copy, signal);
    const blob = await toBlob(copy.getCanvas());
    return {
      url: URL.createObjectURL(blob),
      scale: copy.getPitch() > 0 ? null : scale,
      bearing: copy.getBearing(),
      corners: findCorners(copy),
      layers,
    };
  } finally {
    copy.remove();
    container.remove();
  }
}
