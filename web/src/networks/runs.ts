/** Finished runs of networks: the choice among them, and their layers on the map. */

import { readProcess } from "../api";
import { findVectorLayer, networkRuns, refreshRuns, runsError } from "../data";
import { h } from "../dom";
import { formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { empty, failure, loading, select, textButton } from "../panels/parts";
import { getState, type State, setState, type Tool, type Traffic } from "../state";
import type { RunShort, VectorLayer } from "../types";

const atNetworks = (tool: Tool): Partial<State> => ({ tab: "networks", tool });
const atTraffic = (traffic: Traffic): Partial<State> => ({ tab: "traffic", traffic });

/** Where the results of a process are looked at; of any other, among the results of networks. */
const USES: Record<string, Partial<State>> = {
  "drainage-profile": atNetworks("profile"),
  "network-check": atNetworks("findings"),
  "circuit-faults": atNetworks("lamps"),
  "leak-detection": atNetworks("leaks"),
  "flood-access": atTraffic("water"),
  "traffic-assignment": atTraffic("flows"),
  "transit-access": atTraffic("transit"),
  "road-criticality": atTraffic("critical"),
  route: atTraffic("results"),
  isochrone: atTraffic("results"),
  "travel-matrix": atTraffic("results"),
  "map-match": atTraffic("results"),
  "signal-timing": atTraffic("results"),
  "traffic-counts": atTraffic("results"),
  "traffic-state": atTraffic("results"),
  "transit-check": atTraffic("results"),
};

/** What a process writes, once it was asked for. */
const written = new Map<string, Promise<VectorLayer[]>>();

/** Return the layers that runs of a process write. */
export function layersOfProcess(process: string): Promise<VectorLayer[]> {
  const found =
    written.get(process) ??
    readProcess(process).then(({ outputs }) => Object.keys(outputs).flatMap((id) => findVectorLayer(id) ?? []));
  written.set(process, found);
  found.catch(() => written.delete(process));
  return found;
}

/** Whether the results of a process are looked at among those of networks. */
export const isNetworkResult = (process: string): boolean => USES[process]?.tab !== "traffic";

/** Whether the results of a process are looked at among those of traffic. */
export const isTrafficResult = (process: string): boolean => USES[process]?.traffic === "results";

/** The run of each layer that runs of networks write. */
let drawn: ReadonlyMap<string, string> = new Map();

/** Return the run whose features of a layer are drawn, undefined where none wrote it. */
export const drawnRun = (layer: string): string | undefined => drawn.get(layer);

/** Find the run of each layer: the chosen one, else the newest that wrote the layer. */
export async function findDrawnRuns(): Promise<void> {
  const newest = listRuns(() => true);
  const chosen = newest.filter(({ id }) => id === getState().networkRun);
  const runs = [...chosen, ...newest];
  const layers = await Promise.all(runs.map(({ process }) => layersOfProcess(process)));
  const found = new Map<string, string>();
  runs.forEach((run, index) => {
    for (const { id } of layers[index] ?? []) if (!found.has(id)) found.set(id, run.id);
  });
  drawn = found;
}

/** Draw the layers of a run, and no longer those of the run before. */
export async function showRunLayers(id: string, process: string): Promise<VectorLayer[]> {
  const layers = await layersOfProcess(process);
  const shown = new Set(getState().layers);
  for (const layer of layers) shown.add(layer.id);
  setState({ networkRun: id, layers: shown });
  return layers;
}

/** Bring a finished run on the screen, where its results are looked at. */
export async function openNetworkRun(id: string, process: string): Promise<void> {
  await refreshRuns();
  setState({ networkRun: id, panelOpen: true, ...(USES[process] ?? atNetworks("results")) });
}

/** The runs of some processes, the newest first; `isWanted` says which. */
export const listRuns = (isWanted: (process: string) => boolean): RunShort[] =>
  (networkRuns ?? []).filter(({ process }) => isWanted(process)).sort((a, b) => b.created.localeCompare(a.created));

/** Return the chosen one of some runs, else the newest. */
export const findChosen = (runs: RunShort[]): RunShort | undefined =>
  runs.find(({ id }) => id === getState().networkRun) ?? runs[0];

/** Say that there are no runs, and lead to where they are started. */
export function noRuns(words: string): HTMLElement {
  const go = (): void => setState({ tab: "scenario" });
  return empty(h("span", {}, words), textButton(t("flood.openScenario"), go, "button-small"));
}

/** A choice among runs; `none` stands there where there are none. */
export function runChooser(runs: RunShort[], none: () => HTMLElement): HTMLElement {
  if (runsError) return failure(runsError, () => void refreshRuns());
  if (networkRuns === null) return loading();
  const chosen = findChosen(runs);
  if (!chosen) return none();
  const choices = runs.map(({ id, title, process, created }) => ({
    value: id,
    label: `${say(title, process)} · ${formatShortDateTime(created)}`,
  }));
  const box = select(t("flood.run"), choices, chosen.id, (networkRun) => setState({ networkRun }));
  return h("label", { class: "field" }, h("span", { class: "field-label" }, t("flood.run")), box);
}
