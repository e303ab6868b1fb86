/** The panel of networks: what it is used for, and the part for that. */

import type { Map as MapView } from "maplibre-gl";
import { isOurs } from "../api";
import { onData } from "../data";
import { h, replace } from "../dom";
import { addWords, t } from "../i18n";
import { tableEn } from "../i18n/table-en";
import { tableVi } from "../i18n/table-vi";
import { drawFlags, drawNetwork } from "../map/network";
import { bringInView } from "../map/pick";
import { empty, failure, loading } from "../panels/parts";
import { makeTools, type Part } from "../panels/tools";
import { getState, setState, TOOLS, type Tool, watch } from "../state";
import type { ZoomToItem } from "../types";
import { traceAnswer } from "./answer";
import { answer, ask, followQuestion, isAsking, problem } from "./asking";
import { drawAnswer, findFlags } from "./drawing";
import { findingsPart } from "./findings";
import { findNetworks, networkForm } from "./form";
import { isolationAnswer } from "./isolation";
import { lampsPart } from "./lamps";
import { leaksPart } from "./leaks";
import { findPlace } from "./places";
import { profilePart } from "./profile";
import { resultsPart } from "./results";
import { isNetworkResult } from "./runs";
import { wayPart } from "./way-part";
import { isIsolation } from "./words";

addWords({ vi: tableVi, en: tableEn });

/** The question and its answer, on the panel and on the map. */
function tracePart(map: MapView, zoomToItem: ZoomToItem): Part {
  const body = h("div", { class: "answer-holder", "aria-live": "polite" });
  let flagged = 0;
  let drawn: typeof answer = null;

  const drawPlaces = async (): Promise<void> => {
    const ticket = ++flagged;
    const flags = await findFlags(getState().question);
    if (ticket === flagged && getState().tool === "trace") drawFlags(map, flags);
  };
  const showAnswer = async (): Promise<void> => {
    const shown = answer;
    if (!shown) return;
    const { figures, question } = shown;
    if (!isIsolation(figures)) {
      replace(body, traceAnswer(map, figures, zoomToItem, wayPart(map, shown)));
      return;
    }
    const from = await findPlace(question.starts[0] ?? "");
    if (answer === shown) replace(body, isolationAnswer(map, figures, from, zoomToItem));
  };
  const drawFound = (): void => {
    drawNetwork(map, answer ? drawAnswer(answer) : null);
    const bounds = answer?.figures.bounds;
    if (answer && answer !== drawn && bounds) bringInView(map, bounds);
    drawn = answer;
  };
  const update = (): void => {
    if (getState().tool !== "trace") return;
    if (problem) replace(body, failure(problem, isOurs(problem) ? undefined : () => void ask()));
    else if (answer) void showAnswer();
    else replace(body, isAsking ? loading(t("network.asking")) : null);
    body.classList.toggle("is-asking", isAsking && answer !== null);
    if (!isAsking) drawFound();
  };
  const show = (): void => {
    void drawPlaces();
    update();
  };
  onData("network", update);
  watch(["question"], () => void drawPlaces());
  watch(["lang"], update);
  followQuestion();
  return { element: h("div", {}, networkForm(map), body), show };
}

const BUILD: Record<Tool, (map: MapView, zoomToItem: ZoomToItem) => Part> = {
  trace: tracePart,
  results: () => resultsPart(() => getState().tool === "results" && getState().tab === "networks", isNetworkResult),
  profile: profilePart,
  findings: (_, zoomToItem) => findingsPart(zoomToItem),
  lamps: lampsPart,
  leaks: leaksPart,
};

/** Say what is missing in a city without pipes, drains and lines. */
function noNetworks(): HTMLElement {
  const element = h("div", { class: "panel-body" });
  const update = (): void => replace(element, empty(t("network.noNetworks")));
  update();
  watch(["lang"], update);
  return element;
}

/** Build the panel. */
export function networksPanel(map: MapView, zoomToItem: ZoomToItem): HTMLElement {
  if (findNetworks().length === 0) return noNetworks();
  return makeTools<Tool>(map, {
    tab: "networks",
    uses: TOOLS,
    key: "tool",
    chosen: () => getState().tool,
    choose: (tool) => setState({ tool }),
    title: (tool) => t(`tool.${tool}`),
    build: (tool) => BUILD[tool](map, zoomToItem),
  });
}
