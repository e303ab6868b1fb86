/** Statistics of an area: draw it, choose a ward, or take what the map shows; then counts, lengths, areas and water. */

import type { Map as MapView } from "maplibre-gl";
import { readItems } from "../api";
import { isFlood, onData, runs } from "../data";
import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { drawNetwork } from "../map/network";
import { boundsOf, bringInView, zoomTo } from "../map/pick";
import type { SketchKind } from "../map/sketch";
import { empty, failure, loading, select, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, watch } from "../state";
import type { Item } from "../types";
import { readStatistics } from "./api";
import { type Area, area, boxRing } from "./area-shape";
import { statisticsView } from "./area-view";
import { makeSketcher } from "./sketching";

const COLOR = "#b3261e";
const NONE = "";

let wards: Promise<Item[]> | null = null;

/** Return the wards with their boundaries, read once. */
export function readWards(): Promise<Item[]> {
  wards ??= readItems("wards", { limit: "500", sortby: "name" }).then(({ features }) => features);
  wards.catch(() => {
    wards = null;
  });
  return wards;
}

const wardName = ({ properties }: Item): string => String(properties["name"] ?? properties["ward_code"]);

/** Return the shape of an area and what it is called. */
async function findShape(now: Area): Promise<{ geometry: GeoJSON.Geometry; title: string } | null> {
  if (now.kind === "drawn")
    return { geometry: { type: "Polygon", coordinates: [now.ring] }, title: t("plan.drawnArea") };
  const ward = (await readWards()).find(({ properties }) => properties["ward_code"] === now.code);
  return ward?.geometry ? { geometry: ward.geometry, title: wardName(ward) } : null;
}

/** Build the part. */
export function areaPart(map: MapView): Part {
  const choice = h("div", { class: "area-choice" });
  const run = h("div");
  const answer = h("div", { "aria-live": "polite" });
  const sketcher = makeSketcher(map);
  let chosenRun = getState().runId ?? NONE;
  let asking: AbortController | null = null;
  const isOpen = (): boolean => getState().tab === "planning" && getState().plan === "area";

  const show = async (move: boolean): Promise<void> => {
    asking?.abort();
    const now = area.get();
    if (!now) {
      drawNetwork(map, null);
      replace(answer, empty(t("plan.chooseArea")));
      return;
    }
    asking = new AbortController();
    const { signal } = asking;
    replace(answer, loading(t("plan.measuring")));
    try {
      const found = await findShape(now);
      if (signal.aborted) return;
      if (!found) {
        replace(answer, empty(t("plan.noWard")));
        return;
      }
      if (isOpen()) {
        const feature: GeoJSON.Feature = {
          type: "Feature",
          geometry: found.geometry,
          properties: { color: COLOR, opacity: 0.12 },
        };
        drawNetwork(map, { features: [feature], tiles: [] });
        if (move && now.kind === "ward") zoomTo(map, found.geometry);
        else bringInView(map, boundsOf(found.geometry));
      }
      const statistics = await readStatistics(found.geometry, chosenRun ? { run: chosenRun } : {}, signal);
      replace(answer, statisticsView(map, statistics, found));
    } catch (error) {
      if (!signal.aborted)
        replace(
          answer,
          failure(error, () => void show(false)),
        );
    }
  };

  const draw = (kind: SketchKind): void =>
    sketcher.start(kind, t(kind === "Polygon" ? "plan.drawArea" : "plan.drawTwo"), (geometry) => {
      if (geometry.type === "Polygon") area.set({ kind: "drawn", ring: geometry.coordinates[0]! });
    });

  const showChoice = async (): Promise<void> => {
    const view = (): void => {
      const bounds = map.getBounds();
      area.set({
        kind: "drawn",
        ring: boxRing(bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()),
      });
    };
    const buttons = h(
      "div",
      { class: "work-tools" },
      textButton(t("plan.polygon"), () => draw("Polygon"), "button-small", "pencil"),
      textButton(t("plan.rectangle"), () => draw("Rectangle"), "button-small", "pencil"),
      textButton(t("plan.circle"), () => draw("Circle"), "button-small", "pencil"),
      textButton(t("plan.visibleMap"), view, "button-small", "full"),
    );
    const ward = h("div");
    replace(choice, buttons, ward);
    const now = area.get();
    const choices = (await readWards().catch(() => [])).map((item) => ({
      value: String(item.properties["ward_code"]),
      label: wardName(item),
    }));
    if (choices.length === 0) return;
    const box = select(
      t("plan.ward"),
      [{ value: NONE, label: t("plan.choose") }, ...choices],
      now?.kind === "ward" ? now.code : NONE,
      (code) => area.set(code ? { kind: "ward", code } : null),
    );
    box.name = "area-ward";
    replace(ward, h("label", { class: "field" }, h("span", { class: "field-label" }, t("plan.ward")), box));
  };

  const showRun = (): void => {
    const finished = (runs ?? []).filter(({ process }) => isFlood(process));
    const choices = [
      { value: NONE, label: t("plan.noRun") },
      ...finished.map((one) => ({ value: one.id, label: `${formatShortDateTime(one.created)} · ${say(one.title)}` })),
    ];
    const box = select(t("plan.floodRun"), choices, chosenRun, (id) => {
      chosenRun = id;
      void show(false);
    });
    box.name = "area-run";
    replace(run, h("label", { class: "field" }, h("span", { class: "field-label" }, t("plan.floodRun")), box));
  };

  const showAll = (): void => {
    void showChoice();
    showRun();
    void show(false);
  };
  area.watch(() => {
    if (!isOpen()) return;
    void showChoice();
    void show(true);
  });
  onData("runs", () => {
    if (isOpen() && !run.contains(document.activeElement)) showRun();
  });
  watch(["lang"], () => {
    if (isOpen()) showAll();
  });
  return {
    element: h(
      "div",
      { class: "form" },
      h("p", { class: "soft" }, t("plan.areaWords")),
      choice,
      sketcher.element,
      run,
      answer,
    ),
    show: showAll,
    hide: () => {
      asking?.abort();
      sketcher.stop();
    },
  };
}
