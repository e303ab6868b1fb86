/** The flood panel: which run, which picture of it, its key figures, its legend. */

import { drawChart } from "../chart";
import { chooseLatest, onData, refreshRun, refreshRuns, run, runError, runs, runsError, sensors } from "../data";
import { h, replace } from "../dom";
import {
  formatArea,
  formatDateTime,
  formatFixed,
  formatHours,
  formatLength,
  formatNumber,
  formatShortDateTime,
} from "../format";
import { say, t } from "../i18n";
import { getState, setState, watch } from "../state";
import type { Run, RunShort, RunSummary, ZoomToItem } from "../types";
import { comparisonPart } from "./comparison";
import { ensemblePart } from "./ensemble";
import { impactPart } from "./impact";
import { empty, failure, figure, loading, section, select, syntheticBadge, textButton } from "./parts";
import { productChooser } from "./products";
import { alarmLines, stageChart } from "./sensor-card";
import { worksParts } from "./works";

function runLabel(entry: RunShort, latest: RunShort | undefined): string {
  const title = say(entry.title, entry.process);
  const note = entry.id === latest?.id ? ` (${t("flood.latest")})` : "";
  return `${title} · ${formatShortDateTime(entry.base_time ?? entry.created)}${note}`;
}

function runChooser(): HTMLElement {
  const latest = chooseLatest(runs ?? []);
  const choices = (runs ?? []).map((entry) => ({ value: entry.id, label: runLabel(entry, latest) }));
  const chosen = getState().runId;
  if (chosen && !choices.some((choice) => choice.value === chosen)) {
    choices.unshift({ value: chosen, label: run ? runLabel(run, latest) : chosen });
  }
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, t("flood.run")),
    select(t("flood.run"), choices, chosen ?? "", (runId) => setState({ runId, time: null })),
  );
}

/** Say of which flood the figures are, where a run computes many. */
function figuresNote(summary: Partial<RunSummary>): string | null {
  if (summary.ensemble) return t("ensemble.figures");
  return summary.comparison ? t("comparison.figures") : null;
}

function keyFigures(summary: Partial<RunSummary>): HTMLElement {
  const stage = summary.peak_stage;
  const hours = summary.closed_roads?.mean_hours;
  const places = summary.places?.reduce((sum, entry) => sum + entry.count, 0);
  const note = figuresNote(summary);
  return h(
    "div",
    { class: "figures" },
    figure("people", t("flood.people"), formatNumber(summary.people, 0)),
    figure("building", t("flood.buildings"), formatNumber(summary.buildings, 0)),
    figure("road", t("flood.roads"), formatLength(summary.road_length)),
    figure("warning", t("flood.closedRoads"), formatLength(summary.closed_road_length)),
    figure("area", t("flood.area"), formatArea(summary.flooded_area)),
    figure("wave", t("flood.peakStage"), stage === null || stage === undefined ? "–" : `${formatFixed(stage, 2)} m`),
    typeof hours === "number" ? figure("clock", t("flood.closedHours"), formatHours(hours)) : null,
    places === undefined ? null : figure("pin", t("flood.places"), formatNumber(places, 0)),
    h(
      "p",
      { class: "figures-note soft" },
      `${t("flood.peakTime")}: ${formatDateTime(summary.peak_time)}`,
      note ? ` · ${note}` : null,
    ),
  );
}

function opacityField(): HTMLElement {
  const input = h("input", {
    type: "range",
    min: 0.2,
    max: 1,
    step: 0.05,
    value: getState().opacity,
    oninput: (event) => setState({ opacity: Number((event.target as HTMLInputElement).value) }),
  });
  return h("label", { class: "field field-inline" }, h("span", { class: "field-label" }, t("flood.opacity")), input);
}

function stagePart(shown: Run): HTMLElement | null {
  const forecast = shown.stage_forecast;
  if (!forecast || forecast.times.length === 0) return null;
  const gauge = sensors.find((sensor) =>
    sensor.properties.datastreams.some((stream) => stream.id === forecast.datastream_id),
  );
  const holder = h("div", { class: "chart", "data-chart": "stage" });
  const levels = gauge ? alarmLines(gauge) : [];
  const content = stageChart(null, forecast, levels, "m", t("flood.stage"));
  // The panel is laid out first, so that the chart knows its width.
  requestAnimationFrame(() => void drawChart(holder, { ...content, height: 160 }));
  return section(t("flood.stage"), holder);
}

/** A difference of two floods has a desk of its own. */
const differenceNote = (): HTMLElement =>
  empty(
    h("p", {}, t("difference.isOne")),
    textButton(t("desk.difference"), () => setState({ desk: "difference" }), "button-small button-primary"),
  );

/** Show a run and return what brings its choice of layer in step with the state. */
function runBody(shown: Run, body: HTMLElement, zoomToItem: ZoomToItem): () => void {
  const products = productChooser(shown);
  const hours = shown.horizon_hours ? ` · ${t("flood.horizon", { hours: formatNumber(shown.horizon_hours, 0) })}` : "";
  const balance = shown.balance?.relative_error;
  const hasFigures = shown.summary !== null && !shown.summary.difference;
  replace(
    body,
    h(
      "p",
      { class: "soft run-note" },
      `${t("flood.base", { time: formatDateTime(shown.base_time ?? shown.created) })}${hours}`,
      shown.synthetic ? syntheticBadge(t("app.synthetic")) : null,
    ),
    shown.summary?.difference ? differenceNote() : null,
    shown.status === "failed" ? failure(new Error(t("flood.failed", { reason: shown.error ?? "" }))) : null,
    shown.summary?.comparison ? comparisonPart(shown.id, shown.summary.comparison) : null,
    shown.summary?.ensemble ? ensemblePart(shown.id, shown.summary.ensemble) : null,
    !shown.summary ? empty(t("flood.noSummary")) : null,
    hasFigures ? section(t("flood.figures"), keyFigures(shown.summary ?? {})) : null,
    section(t("flood.product"), products.element, opacityField(), h("p", { class: "soft note" }, t("flood.clickHint"))),
    stagePart(shown),
    hasFigures ? impactPart(shown, zoomToItem) : null,
    ...worksParts(shown, zoomToItem),
    typeof balance === "number"
      ? h("p", { class: "soft note" }, t("flood.balance", { value: `${formatNumber(balance * 100, 4)} %` }))
      : null,
  );
  return products.update;
}

/** Build the panel; `zoomToItem` brings an affected asset on the screen. */
export function floodPanel(zoomToItem: ZoomToItem): HTMLElement {
  const chooser = h("div");
  const body = h("div");
  let follow = (): void => undefined;
  const update = (): void => {
    follow = () => undefined;
    if (runsError) {
      replace(
        chooser,
        failure(runsError, () => void refreshRuns()),
      );
    } else if (runs === null) {
      replace(chooser, loading());
    } else if (runs.length === 0 && !getState().runId) {
      replace(
        chooser,
        empty(
          h("strong", {}, t("flood.noRuns")),
          h("p", {}, t("flood.noRunsHint")),
          textButton(t("flood.openScenario"), () => setState({ tab: "scenario" }), "button-primary"),
        ),
      );
    } else {
      replace(chooser, runChooser());
    }
    if (runError)
      replace(
        body,
        failure(runError, () => void refreshRun()),
      );
    else if (run && run.id === getState().runId) follow = runBody(run, body, zoomToItem);
    else replace(body, getState().runId ? loading() : null);
  };
  update();
  onData("runs", update);
  onData("run", update);
  watch(["lang", "runId"], update);
  // Only the choice changed: the tables and their paging stay.
  watch(["product"], () => follow());
  return h("div", { class: "panel-body" }, chooser, body);
}
