/** Letting a shape be drawn: one button starts it, another gives it up, a field takes corners that are typed. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { explain, t } from "../i18n";
import { type Sketching, type SketchKind, startSketch } from "../map/sketch";
import { textButton } from "../panels/parts";

const MOST_CORNERS = 500;

export interface Sketcher {
  element: HTMLElement;
  /** Let a shape be drawn; `done` gets it once. */
  start: (kind: SketchKind, words: string, done: (geometry: GeoJSON.Geometry) => void) => void;
  stop: () => void;
}

/** Return the corners of lines of "longitude, latitude" or "latitude longitude"; null for anything else. */
export function readCorners(text: string): GeoJSON.Position[] | null {
  const lines = text.split(/[;\n]/).filter((line) => line.trim() !== "");
  const corners = lines.map((line) =>
    line
      .trim()
      .split(/[\s,]+/)
      .map(Number),
  );
  if (corners.length > MOST_CORNERS) return null;
  if (corners.some((pair) => pair.length !== 2 || !pair.every(Number.isFinite))) return null;
  // In Viet Nam longitudes are above 90: whichever comes first is told by its size.
  const turned = corners.map(([a, b]) => (Math.abs(a!) <= 90 && Math.abs(b!) > 90 ? [b!, a!] : [a!, b!]));
  return turned.every(([lon, lat]) => Math.abs(lon!) <= 180 && Math.abs(lat!) <= 90) ? turned : null;
}

/** Make a geometry of corners, as far as there are enough of them. */
function shape(kind: SketchKind, corners: GeoJSON.Position[]): GeoJSON.Geometry | null {
  if (kind === "LineString") return corners.length > 1 ? { type: "LineString", coordinates: corners } : null;
  return corners.length > 2 ? { type: "Polygon", coordinates: [[...corners, corners[0]!]] } : null;
}

/** Make the sketcher; it says what to do while somebody draws. */
export function makeSketcher(map: MapView): Sketcher {
  const element = h("div", { class: "sketcher", role: "status" });
  let sketching: Sketching | null = null;
  let ticket = 0;

  // The map ends a drawing on Escape; what is said of it goes with it.
  const giveUp = (event: KeyboardEvent): void => {
    if (event.key === "Escape") stop();
  };
  const stop = (): void => {
    ticket++;
    document.removeEventListener("keydown", giveUp);
    sketching?.stop();
    sketching = null;
    replace(element);
  };

  const typed = (kind: SketchKind, done: (geometry: GeoJSON.Geometry) => void): HTMLElement => {
    const note = h("span", { class: "field-error", role: "alert" });
    const box = h("textarea", { class: "input", rows: 4, name: "corners", placeholder: "105.7801, 10.0312" });
    const add = (): void => {
      const corners = readCorners(box.value);
      const geometry = corners && shape(kind, corners);
      note.textContent = geometry ? "" : t("plan.cornersWrong");
      if (geometry) done(geometry);
    };
    return h(
      "details",
      { class: "more" },
      h("summary", {}, t("plan.typeCorners")),
      h("label", { class: "field" }, h("span", { class: "field-label" }, t("plan.cornersHint")), box),
      note,
      textButton(t("plan.addCorners"), add, "button-small"),
    );
  };

  const start = (kind: SketchKind, words: string, done: (geometry: GeoJSON.Geometry) => void): void => {
    stop();
    const own = ticket;
    document.addEventListener("keydown", giveUp);
    const finish = (geometry: GeoJSON.Geometry): void => {
      if (own !== ticket) return;
      stop();
      done(geometry);
    };
    replace(
      element,
      h("p", { class: "note sketcher-words" }, words),
      textButton(t("plan.stopDrawing"), stop, "button-small", "close"),
      kind === "LineString" || kind === "Polygon" ? typed(kind, finish) : null,
    );
    startSketch(map, kind, { done: finish }).then(
      (begun) => {
        if (own === ticket) sketching = begun;
        else begun.stop();
      },
      (error: unknown) => replace(element, h("p", { class: "field-error", role: "alert" }, explain(error))),
    );
  };
  return { element, start, stop };
}
