/** What a trace adds up to: warnings, figures, counts by layer, members. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { type Child, h } from "../dom";
import { formatArea, formatLength, formatNumber, formatProperty, formatReading, formatVolume } from "../format";
import { say, t } from "../i18n";
import { type IconName, icon } from "../icons";
import { zoomToBounds } from "../map/pick";
import { itemButton } from "../panels/item-button";
import { empty, figure, section, textButton } from "../panels/parts";
import { table } from "../panels/table";
import { setState } from "../state";
import type { ZoomToItem } from "../types";
import { memberPart } from "./members";
import { type AnyFigures, type Box, type Measured, memberLayers, splitItem, type TraceFigures } from "./words";

const ICONS: Record<string, IconName> = {
  length: "road",
  volume: "drop",
  area: "area",
  population: "people",
  customers: "building",
};

/** Say that the network has places where nothing can be followed. */
export function dirtyNote(figures: AnyFigures): HTMLElement | null {
  if (figures.unresolved === 0) return null;
  const words = t("network.unresolved", { count: formatNumber(figures.unresolved, 0) });
  const go = (): void => setState({ tool: "findings" });
  return h(
    "div",
    { class: "message message-warning", role: "status" },
    icon("warning"),
    h("span", {}, words),
    textButton(t("network.seeFindings"), go, "button-small no-print"),
  );
}

/** Buttons for every answer: bring it on the screen, and copy the link to it. */
export function answerButtons(map: MapView, { bounds }: { bounds: Box | null }, ...more: Child[]): HTMLElement {
  const copied = h("span", { class: "soft", role: "status" });
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(location.href);
      copied.textContent = t("network.copied");
    } catch {
      copied.textContent = location.href;
    }
  };
  return h(
    "div",
    { class: "row no-print answer-buttons" },
    bounds ? textButton(t("card.zoom"), () => zoomToBounds(map, bounds), "button-small", "target") : null,
    textButton(t("network.copy"), () => void copy(), "button-small"),
    ...more,
    copied,
  );
}

function formatMeasured({ value, unit }: Measured): string {
  if (value === null) return "–";
  if (unit === "m") return formatLength(value);
  if (unit === "m2") return formatArea(value);
  if (unit === "m3") return formatVolume(value);
  return unit === "1" || !unit ? formatNumber(value, 0) : formatReading(value, unit, "", 1);
}

/** Return a figure of a result function; of a property it says which, of the worst it names the item. */
function measuredFigure(measured: Measured, zoomToItem: ZoomToItem, problem: HTMLElement): HTMLElement | null {
  const [, operation = "", layer = "", name = ""] = /^(\w+)\((?:(\w+)\.)?(\w+)\)$/.exec(measured.function) ?? [];
  if (!operation) {
    const key = measured.function as "length" | "volume" | "area" | "population" | "customers";
    return figure(ICONS[key] ?? "info", t(`measure.${key}`), formatMeasured(measured));
  }
  if (measured.value === null) return null;
  const property = findVectorLayer(layer)?.properties.find((one) => one.name === name);
  const label = `${t(`measure.${operation as "worst" | "sum"}`)}: ${say(property?.title, name)}`;
  const value = measured.code_title
    ? say(measured.code_title)
    : property && operation !== "sum"
      ? formatProperty(measured.value, property)
      : formatMeasured(measured);
  const box = figure("warning", label, value);
  if (measured.item) {
    const { layer: of, id } = splitItem(measured.item);
    box.querySelector(".figure-label")?.append(" · ", itemButton(of, id, zoomToItem, problem));
  }
  return box;
}

function countTable(figures: TraceFigures): HTMLElement {
  const attached = Object.entries(figures.equipment).filter(([, found]) => found.count > 0);
  const rows: Child[][] = figures.counts.map((one) => [say(one.title), formatNumber(one.count, 0)]);
  if (attached.length > 0) rows.push([t("network.attached")]);
  rows.push(
    ...attached.map(([kind, found]): Child[] => [t(`equipment.${kind as "customers"}`), formatNumber(found.count, 0)]),
  );
  return table([t("impact.layer"), t("impact.count")], rows);
}

/** Build the answer of a trace. */
export function traceAnswer(
  map: MapView,
  figures: TraceFigures,
  zoomToItem: ZoomToItem,
  way: HTMLElement | null,
): HTMLElement {
  const problem = h("div");
  if (figures.link_count === 0 && figures.node_count === 0) {
    const words = figures.path_length === null ? t("network.noPath") : t("network.nothing");
    return h("div", { class: "answer" }, dirtyNote(figures), empty(words));
  }
  const { results } = figures;
  return h(
    "div",
    { class: "answer" },
    dirtyNote(figures),
    answerButtons(map, figures),
    section(
      t("network.figures"),
      h(
        "div",
        { class: "figures" },
        figure("layers", t("network.links"), formatNumber(figures.link_count, 0)),
        results.some((one) => one.function === "length")
          ? null
          : figure("road", t("measure.length"), formatLength(figures.length)),
        ...results.map((one) => measuredFigure(one, zoomToItem, problem)),
        figures.source_count > 0 ? figure("drop", t("network.sources"), formatNumber(figures.source_count, 0)) : null,
        figures.sink_count > 0 ? figure("wave", t("network.sinks"), formatNumber(figures.sink_count, 0)) : null,
        figures.barrier_count > 0 ? figure("close", t("network.stops"), formatNumber(figures.barrier_count, 0)) : null,
      ),
      problem,
    ),
    way,
    section(t("network.byLayer"), countTable(figures)),
    memberPart(figures.id, memberLayers(figures), zoomToItem),
  );
}
