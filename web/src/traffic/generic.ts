/** A part for runs of one process: the form, the layers on the map, and what is told of the run. */

import { readRun } from "../api";
import { type Child, h } from "../dom";
import { formatShortDateTime } from "../format";
import { t } from "../i18n";
import { filesPart } from "../networks/run-files";
import { runLayers } from "../networks/run-layers";
import { makeRunPage } from "../networks/run-page";
import { showRunLayers } from "../networks/runs";
import { foldedFigures } from "../panels/figures";
import type { Part } from "../panels/tools";
import { getState, type Traffic } from "../state";
import type { Run, VectorLayer } from "../types";
import { makeRunForm } from "./run-form";

export interface RunView {
  use: Traffic;
  process: string;
  none: () => string;
  /** What is told of a run above its layers and figures. */
  tell: (run: Run, layers: readonly VectorLayer[]) => Promise<Child[]> | Child[];
}

/** Build the part. */
export function runPart({ use, process, none, tell }: RunView): Part {
  const form = makeRunForm(process);
  return makeRunPage({
    isOpen: () => getState().traffic === use && getState().tab === "traffic",
    isWanted: (id) => id === process,
    none: () => h("p", { class: "soft" }, none()),
    head: form.element,
    update: (runs) => form.update(runs.length > 0),
    read: async ({ id }) => {
      const [run, layers, files] = await Promise.all([readRun(id), showRunLayers(id, process), filesPart(id)]);
      return h(
        "div",
        {},
        h("p", { class: "soft note" }, t("flood.base", { time: formatShortDateTime(run.base_time ?? run.created) })),
        ...(await tell(run, layers)),
        files,
        runLayers(run.id, layers),
        foldedFigures(run.summary),
      );
    },
  });
}
