/** What a run of a network wrote: its layers with legends and files, its account of water, its figures. */

import { readRun } from "../api";
import { h } from "../dom";
import { formatDateTime, formatNumber } from "../format";
import { t } from "../i18n";
import { figuresTable } from "../panels/figures";
import { figure, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, setState } from "../state";
import type { Run, VectorLayer } from "../types";
import { runLayers } from "./run-layers";
import { makeRunPage } from "./run-page";
import { isNetworkResult, noRuns, showRunLayers } from "./runs";

function runBody(run: Run, layers: VectorLayer[]): HTMLElement {
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
    layers.length > 0 ? runLayers(run.id, layers) : null,
    figuresTable(run.summary),
  );
}

/** Build the part; the layers of the chosen run are drawn. */
export const resultsPart = (): Part =>
  makeRunPage({
    isOpen: () => getState().tool === "results" && getState().tab === "networks",
    isWanted: isNetworkResult,
    none: () => noRuns(t("results.none")),
    read: async ({ id, process }) => {
      const [run, layers] = await Promise.all([readRun(id), showRunLayers(id, process)]);
      return runBody(run, layers);
    },
  });
