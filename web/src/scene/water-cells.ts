/** Depths of a flood as blocks of water: tiles of depths are read and cut into cells that stand on the ground. */

import type { RunRaster } from "../types";

const TILE = 256;
const EARTH = 40_075_016.686;
/** Most tiles read for one view. */
const MOST_TILES = 20;
/** Most cells across a view; more would cost time and show nothing more. */
const CELLS_ACROSS = 150;
/** Shallower water is a wet street [m]. */
const SHALLOWEST = 0.03;
/** Depths that differ by less are one block [m]. */
const STEP = 0.05;
/** Cells that one block takes at most: it stands at the height of the ground at its middle. */
const LONGEST = 3;

export interface View {
  west: number;
  south: number;
  east: number;
  north: number;
}

interface Frame {
  zoom: number;
  /** First and last tile. */
  columns: [number, number];
  rows: [number, number];
}

const toColumn = (lon: number, zoom: number): number => ((lon + 180) / 360) * 2 ** zoom;

function toRow(lat: number, zoom: number): number {
  const sine = Math.sin((lat * Math.PI) / 180);
  return (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * 2 ** zoom;
}

const toLon = (column: number, zoom: number): number => (column / 2 ** zoom) * 360 - 180;

const toLat = (row: number, zoom: number): number =>
  (Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / 2 ** zoom))) * 180) / Math.PI;

/** Return the tiles to read, of the finest zoom that is worth its cost. */
function frameView(view: View, cell: number): Frame {
  const middle = ((view.south + view.north) / 2) * (Math.PI / 180);
  let zoom = Math.min(16, Math.ceil(Math.log2((EARTH * Math.cos(middle)) / (TILE * cell))));
  for (;;) {
    const columns: [number, number] = [Math.floor(toColumn(view.west, zoom)), Math.floor(toColumn(view.east, zoom))];
    const rows: [number, number] = [Math.floor(toRow(view.north, zoom)), Math.floor(toRow(view.south, zoom))];
    const count = (columns[1] - columns[0] + 1) * (rows[1] - rows[0] + 1);
    if (count <= MOST_TILES || zoom === 0) return { zoom, columns, rows };
    zoom -= 1;
  }
}

/** Read the depths of a tile [m], row by row; null where the run has no tile. */
async function readDepths(raster: RunRaster, time: string | null, name: string, signal: AbortSignal) {
  const [zoom, x, y] = name.split("/") as [string, string, string];
  const path = raster.tiles.replace("{z}", zoom).replace("{x}", x).replace("{y}", y);
  const query = new URLSearchParams({ encoding: "terrarium", ...(raster.times && time ? { time } : {}) });
  const answer = await fetch(`${path}?${query}`, { signal });
  if (!answer.ok || answer.status === 204) return null;
  // The colours are numbers: nothing may be converted or multiplied.
  const picture = await createImageBitmap(await answer.blob(), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.drawImage(picture, 0, 0);
  const { data, width } = context.getImageData(0, 0, picture.width, picture.height);
  const depths = new Float32Array(data.length / 4);
  for (let i = 0; i < depths.length; i++) {
    depths[i] = data[4 * i]! * 256 + data[4 * i + 1]! + data[4 * i + 2]! / 256 - 32768;
  }
  return { depths, width };
}

/** Return the blocks of water in a view: areas with their `depth` [m]. */
export async function readWaterCells(
  raster: RunRaster,
  time: string | null,
  view: View,
  signal: AbortSignal,
): Promise<GeoJSON.FeatureCollection> {
  const [west, south, east, north] = raster.bounds;
  const seen = {
    west: Math.max(view.west, west),
    south: Math.max(view.south, south),
    east: Math.min(view.east, east),
    north: Math.min(view.north, north),
  };
  const features: GeoJSON.Feature[] = [];
  if (seen.west >= seen.east || seen.south >= seen.north) return { type: "FeatureCollection", features };
  const metres = ((seen.east - seen.west) / 360) * EARTH * Math.cos((seen.north * Math.PI) / 180);
  const { zoom, columns, rows } = frameView(seen, Math.max(metres / CELLS_ACROSS, 5));
  const names: [number, number][] = [];
  for (let row = rows[0]; row <= rows[1]; row++) {
    for (let column = columns[0]; column <= columns[1]; column++) names.push([column, row]);
  }
  const pixels =
    ((columns[1] - columns[0] + 1) * TILE * (seen.east - seen.west)) /
    (toLon(columns[1] + 1, zoom) - toLon(columns[0], zoom));
  const stride = Math.max(1, Math.round(pixels / CELLS_ACROSS));
  const tiles = await Promise.all(
    names.map(async ([column, row]) => ({
      column,
      row,
      read: await readDepths(raster, time, `${zoom}/${column}/${row}`, signal),
    })),
  );
  for (const { column, row, read } of tiles) {
    if (read) cutCells(features, read.depths, read.width, stride, { zoom, column, row }, seen);
  }
  return { type: "FeatureCollection", features };
}

interface TilePlace {
  zoom: number;
  column: number;
  row: number;
}

/** Cut a tile into blocks: cells of `stride` pixels, neighbours in a row of one depth together. */
function cutCells(
  features: GeoJSON.Feature[],
  depths: Float32Array,
  width: number,
  stride: number,
  { zoom, column, row }: TilePlace,
  seen: View,
): void {
  const half = Math.floor(stride / 2);
  for (let y = 0; y < width; y += stride) {
    const top = toLat(row + y / width, zoom);
    const bottom = toLat(row + Math.min(y + stride, width) / width, zoom);
    if (top < seen.south || bottom > seen.north) continue;
    let start = 0;
    let depth = 0;
    const close = (end: number): void => {
      if (depth <= 0) return;
      const left = toLon(column + start / width, zoom);
      const right = toLon(column + Math.min(end, width) / width, zoom);
      const ring = [
        [left, bottom],
        [right, bottom],
        [right, top],
        [left, top],
        [left, bottom],
      ];
      features.push({ type: "Feature", properties: { depth }, geometry: { type: "Polygon", coordinates: [ring] } });
    };
    for (let x = 0; x < width; x += stride) {
      const value = depths[Math.min(y + half, width - 1) * width + Math.min(x + half, width - 1)]!;
      const here = value < SHALLOWEST ? 0 : Math.max(STEP, Math.round(value / STEP) * STEP);
      if (here !== depth || x - start >= LONGEST * stride) {
        close(x);
        start = x;
        depth = here;
      }
    }
    close(width);
  }
}
