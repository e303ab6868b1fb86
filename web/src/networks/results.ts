/** What a run of a network wrote: its layers with legends and files, its account of water, its figures. */

import { readRun } from "../api";
import { onData } from "../data";
import { type Child, h, replace } from "../dom";
import { formatDateTime, formatNumber } from "../format";
import { say, t } from "../i18n";
import { legendList } from "../panels/layers";
import { failure, figure, loading, section, textButton } from "../panels/parts";
import { table } from "../panels/table";
import { getState, setState, watch } from "../state";
import type { Run, VectorLayer } from "../types";
import { downloads } from "./members";
import type { Part } from "./panel";
import { findChosen, listRuns, runChooser, showRunLayers } from "./runs";

const MOST_ROWS = 40;

/** Return the plain figures of a summary, parts of parts named by both. */
function listFigures(summary: object, prefix = ""): [string, Child][] {
  return Object.entries(summary).flatMap(([name, value]: [string, unknown]): [string, Child][] => {
    const words = `${prefix}${name.replaceAll("_", " ")}`;
    if (typeof value === "number") return [[words, formatNumber(value, 3)]];
    if (typeof value === "string") return [[words, value.length > 60 ? `${value.slice(0, 60)}…` : value]];
    if (typeof value === "boolean") return [[words, t(value ? "card.yes" : "card.no")]];
    if (value && !Array.isArray(value) && prefix.length < 30) return listFigures(value, `${words} · `);
    return [];
  });
}

function layerPart(run: Run, layer: VectorLayer): HTMLElement {
  return h(
    "div",
    { class: "run-layer" },
    h("h4", { class: "part-title" }, say(layer.title)),
    legendList(layer),
    downloads(layer.id, { run_id: run.id }, `${layer.id}-${run.id}`),
  );
}

function runBody(run: Run, layers: VectorLayer[]): HTMLElement {
  const error = run.balance?.relative_error;
  const figures = listFigures(run.summary ?? {}).slice(0, MOST_ROWS);
  const goProfile = (): void => setState({ tool: "profile" });
  return h(
    "div",
    {},
    h("p", { class: "soft note" }, t("flood.base", { time: formatDateTime(run.base_time ?? run.created) })),
    typeof error === "number"
      ? h("div", { class: "figures" }, figure("drop", t("results.balance"), `${formatNumber(error * 100, 4)} %`))
      : null,
    run.process === "drainage-run" ? textButton(t("results.profile"), goProfile, "button-small") : null,
    layers.length > 0 ? section(t("results.layers"), ...layers.map((layer) => layerPart(run, layer))) : null,
    figures.length > 0 ? section(t("network.figures"), table([t("results.name"), t("results.value")], figures)) : null,
  );
}

/** Build the part; the layers of the chosen run are drawn. */
export function resultsPart(): Part {
  const chooser = h("div");
  const body = h("div", { "aria-live": "polite" });
  let shown = "";

  const load = async (id: string, process: string): Promise<void> => {
    replace(body, loading());
    try {
      const [run, layers] = await Promise.all([readRun(id), showRunLayers(id, process)]);
      if (shown === id) replace(body, runBody(run, layers));
    } catch (error) {
      if (shown !== id) return;
      replace(
        body,
        failure(error, () => void load(id, process)),
      );
    }
  };
  const update = (again = false): void => {
    if (getState().tool !== "results") return;
    const runs = listRuns(() => true);
    replace(chooser, runChooser(runs, t("results.none")));
    const chosen = findChosen(runs);
    if (!chosen || (chosen.id === shown && !again)) return;
    shown = chosen.id;
    void load(chosen.id, chosen.process);
  };
  onData("runs", () => update());
  watch(["networkRun"], () => update());
  watch(["lang"], () => update(true));
  return { element: h("div", { class: "form" }, chooser, body), show: () => update() };
}
