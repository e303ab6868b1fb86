/** What a run of a network or of traffic wrote: its layers, files and drawings, its account of water, its figures. */

import { readRun } from "../api";
import { h } from "../dom";
import { formatDateTime, formatNumber } from "../format";
import { t } from "../i18n";
import { figuresTable } from "../panels/figures";
import { figure, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { setState } from "../state";
import type { Run, VectorLayer } from "../types";
import { filesPart } from "./run-files";
import { runLayers } from "./run-layers";
import { makeRunPage } from "./run-page";
import { noRuns, showRunLayers } from "./runs";

function runBody(run: Run, layers: VectorLayer[], files: HTMLElement | null): HTMLElement {
  const error = run.balance?.relative_error;
  const goProfile = (): void => setState({ tool: "profile" });
  return h(
    "div",
    {},
    h("p", { class: "soft note" }, t("flood.base", { time: formatDateTime(run.base_time ?? run.created) })),
    typeof error === "number"
      ? h("div", { class: "figures" }, figure("drop", t("results.balance"), `${formatNumber(error * 100, 4)} %`))
      : null,
    run.process === "drainage-run" ? textButton(t("results.profile"), goProfile, "button-small") : null,
    files,
    layers.length > 0 ? runLayers(run.id, layers) : null,
    figuresTable(run.summary),
  );
}

/** Build the part for runs of some processes; the layers of the chosen run are drawn. */
export const resultsPart = (isOpen: () => boolean, isWanted: (process: string) => boolean): Part =>
  makeRunPage({
    isOpen,
    isWanted,
    none: () => noRuns(t("results.none")),
    read: async ({ id, process }) => {
      const [run, layers, files] = await Promise.all([readRun(id), showRunLayers(id, process), filesPart(id)]);
      return runBody(run, layers, files);
    },
  });
