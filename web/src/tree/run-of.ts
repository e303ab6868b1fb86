/** The run whose features or pictures are drawn of a layer. */

import { isPerRun, networkRuns, run, runs } from "../data";
import { isOfRuns, runOfLayer } from "../map/tile-query";
import type { Layer, RunShort } from "../types";

/** Return the run, null where none is drawn, undefined for a layer of the city itself. */
export function shownRun(layer: Layer): RunShort | null | undefined {
  if (isPerRun(layer)) return run;
  if (layer.kind !== "vector" || !isOfRuns(layer)) return undefined;
  const id = runOfLayer(layer);
  return [...(runs ?? []), ...(networkRuns ?? [])].find((one) => one.id === id) ?? null;
}
