/** What the server has told us: catalog, sensors, runs, and the run that is shown. */

import { followReadings, readRun, readRuns, readSensors } from "./api";
import { getState, setState } from "./state";
import type {
  Catalog,
  City,
  Layer,
  RasterLayer,
  Reading,
  Run,
  RunRaster,
  RunShort,
  Sensor,
  VectorLayer,
} from "./types";

const POLL_MS = 60_000;

type Topic = "sensors" | "runs" | "run" | "jobs" | "network" | "items";

const listeners: Record<Topic, (() => void)[]> = { sensors: [], runs: [], run: [], jobs: [], network: [], items: [] };

let catalog: Catalog | null = null;
const layers = new Map<string, Layer>();

export let sensors: Sensor[] = [];
export let sensorsError: unknown = null;
export let sensorsRead: Date | null = null;
/** Finished runs of floods, and those of networks and traffic. */
export let runs: RunShort[] | null = null;
export let networkRuns: RunShort[] | null = null;
export let runsError: unknown = null;
export let run: Run | null = null;
export let runError: unknown = null;

export function onData(topic: Topic, listener: () => void): void {
  listeners[topic].push(listener);
}

export function announce(topic: Topic): void {
  for (const listener of listeners[topic]) listener();
}

export function setCatalog(next: Catalog): void {
  catalog = next;
  layers.clear();
  for (const layer of next.themes.flatMap((theme) => theme.layers)) layers.set(layer.id, layer);
}

export function getCatalog(): Catalog {
  if (!catalog) throw new Error("the catalog is not loaded");
  return catalog;
}

export const getCity = (): City => getCatalog().city;

export const findLayer = (id: string): Layer | undefined => layers.get(id);

export function findVectorLayer(id: string): VectorLayer | undefined {
  const layer = layers.get(id);
  return layer?.kind === "vector" ? layer : undefined;
}

export function findRasterLayer(id: string): RasterLayer | undefined {
  const layer = layers.get(id);
  return layer?.kind === "raster" ? layer : undefined;
}

/** Whether a layer's pictures exist per run and not once for the city. */
export const isPerRun = (layer: Layer): boolean => layer.kind === "raster" && layer.per_run;

/** Whether there is nothing of a layer to draw, as far as we know. */
export function isEmpty(layer: Layer): boolean {
  if (layer.kind === "vector") return layer.count === 0;
  return layer.per_run ? runs?.length === 0 : layer.raster_id === null;
}

/** Return the layers of the city that are drawn at first: where none of those has anything, all that have. */
export function chooseFirst(layers: readonly Layer[]): Layer[] {
  const visible = layers.filter((layer) => layer.visible);
  return visible.every(isEmpty) ? layers.filter((layer) => layer.visible || !isEmpty(layer)) : visible;
}

/** Return the raster that is drawn now, or undefined. */
export function shownRaster(): RunRaster | undefined {
  return run?.rasters.find((raster) => raster.layer === getState().product);
}

export async function refreshSensors(): Promise<void> {
  try {
    sensors = await readSensors();
    sensorsError = null;
    sensorsRead = new Date();
  } catch (error) {
    sensorsError = error;
  }
  announce("sensors");
}

/** Keep the readings fresh: told by the server as they change, asked for every minute while that line is down. */
export function followSensors(): void {
  let polling = 0;
  followReadings(applyReadings, (down) => {
    if (down && !polling) {
      polling = window.setInterval(() => {
        if (!document.hidden) void refreshSensors();
      }, POLL_MS);
    } else if (!down && polling) {
      clearInterval(polling);
      polling = 0;
      void refreshSensors();
    }
  });
}

/** Series that the list of sensors does not have: their things stand nowhere on the map. */
const elsewhere = new Set<string>();

/** Put changed readings where they belong; sensors that are not known yet are read with all others, once. */
function applyReadings(readings: Reading[]): void {
  const streams = new Map(sensors.flatMap((sensor) => sensor.properties.datastreams).map((one) => [one.id, one]));
  const unknown = readings.filter(({ id }) => !streams.has(id) && !elsewhere.has(id));
  if (unknown.length > 0) {
    for (const { id } of unknown) elsewhere.add(id);
    void refreshSensors();
    return;
  }
  for (const { id, result, phenomenon_time, quality } of readings) {
    const stream = streams.get(id);
    if (stream) Object.assign(stream, { result, phenomenon_time, quality });
  }
  sensorsRead = new Date();
  announce("sensors");
}

/** Whether a process is looked at in the panel of floods; what water does to roads is traffic. */
export const isFlood = (process: string): boolean => process.startsWith("flood") && process !== "flood-access";

/** Read the list of runs; choose the latest forecast where none is chosen. */
export async function refreshRuns(): Promise<void> {
  try {
    const finished = (await readRuns()).filter((entry) => entry.status === "successful");
    runs = finished.filter(({ process }) => isFlood(process));
    networkRuns = finished.filter(({ process }) => !isFlood(process));
    runsError = null;
  } catch (error) {
    runsError = error;
    announce("runs");
    return;
  }
  const chosen = getState().runId;
  if (!chosen && runs.length > 0) setState({ runId: chooseLatest(runs)?.id ?? null });
  announce("runs");
}

/** Return the newest forecast, or the newest run where no forecast exists. */
export function chooseLatest(list: RunShort[]): RunShort | undefined {
  const newest = [...list].sort((a, b) => b.created.localeCompare(a.created));
  return newest.find((entry) => entry.process.includes("forecast")) ?? newest[0];
}

/** What a run is about comes first; where none of these is, its first layer is shown. */
const TELLING = ["flood_depth", "flood_depth_change", "flood_probability_03", "flood_depth_max"];

/** Return the layer to show of a run: the chosen one if the run has it, else the one that tells most of it. */
function chooseProduct(shown: Run, chosen: string): string {
  const ids = shown.rasters.map((raster) => raster.layer);
  if (chosen === "none" || ids.includes(chosen)) return chosen;
  return TELLING.find((id) => ids.includes(id)) ?? ids[0] ?? chosen;
}

/** Read the chosen run in full. Answers that come too late are dropped. */
export async function refreshRun(): Promise<void> {
  const id = getState().runId;
  if (!id) {
    run = null;
    announce("run");
    return;
  }
  if (run?.id === id) return;
  try {
    const answer = await readRun(id);
    if (getState().runId !== id) return;
    run = answer;
    runError = null;
    setState({ product: chooseProduct(answer, getState().product) });
  } catch (error) {
    if (getState().runId !== id) return;
    run = null;
    runError = error;
  }
  announce("run");
}
