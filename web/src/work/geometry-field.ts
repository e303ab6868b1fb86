/** Where an item is: moved or drawn on the map, or typed. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatLength } from "../format";
import { explain, t } from "../i18n";
import { highlight, zoomTo } from "../map/pick";
import { editShape, type Sketching, startSketch } from "../map/sketch";
import { textButton } from "../panels/parts";
import { nodeLayers, snapEnds } from "./snapping";
import { lengthOf, readVertices, simpleShape, writeVertices } from "./vertices";

type Kind = "Point" | "LineString" | "Polygon";

export interface GeometryField {
  element: HTMLElement;
  /** Say what is wrong with the place; empty words take it away. */
  say: (words: string) => void;
  /** End what is drawn on the map. */
  stop: () => void;
}

export interface GeometryTold {
  get: () => GeoJSON.Geometry | null;
  set: (geometry: GeoJSON.Geometry) => void;
  /** Ends were brought to nodes. */
  joined?: (from: string | null, to: string | null) => void;
}

/** Return what is drawn of a layer by hand. */
export function drawnKind(layer: string): Kind {
  const geometry = findVectorLayer(layer)?.geometry;
  return geometry === "Point" || geometry === "LineString" ? geometry : "Polygon";
}

function describe(geometry: GeoJSON.Geometry | null): string {
  if (!geometry) return t("work.noPlace");
  if (geometry.type === "Point") return writeVertices(geometry) ?? "";
  const corners = writeVertices(geometry)?.split("\n").length;
  if (geometry.type === "LineString")
    return t("work.line", { count: corners ?? 0, length: formatLength(lengthOf(geometry)) });
  return corners ? t("work.polygon", { count: corners }) : t("work.manyParts");
}

let counter = 0;

/** Build the field of a place; `layer` says what is drawn. */
export function makeGeometryField(map: MapView, layer: string, told: GeometryTold): GeometryField {
  const id = `place-${++counter}`;
  const kind = drawnKind(layer);
  const words = h("p", { class: "soft place-words", "aria-live": "polite" });
  const error = h("span", { class: "field-error", id: `${id}-error`, "aria-live": "polite" });
  const buttons = h("div", { class: "row" });
  const typed = h("textarea", {
    id,
    class: "input",
    rows: kind === "Point" ? 1 : 4,
    spellcheck: false,
    "aria-describedby": `${id}-hint ${id}-error`,
  });
  const typing = h(
    "details",
    { class: "more" },
    h("summary", {}, t("work.typePlace")),
    h("label", { for: id, class: "field-label" }, t(kind === "Point" ? "work.latLon" : "work.latLonLines")),
    typed,
    h("span", { class: "soft field-hint", id: `${id}-hint` }, t("work.latLonHint")),
  );
  let sketching: Sketching | null = null;

  const say = (problem: string): void => {
    error.textContent = problem;
  };
  const take = (geometry: GeoJSON.Geometry): void => {
    say("");
    told.set(geometry);
    highlight(map, geometry);
    words.textContent = describe(geometry);
    if (document.activeElement !== typed) typed.value = writeVertices(geometry) ?? "";
  };
  const stop = (): void => {
    sketching?.stop();
    sketching = null;
    show();
  };
  const start = async (begin: () => Promise<Sketching>): Promise<void> => {
    stop();
    try {
      sketching = await begin();
    } catch (problem) {
      say(explain(problem));
    }
    show();
  };
  const move = (geometry: GeoJSON.Geometry): Promise<void> => {
    zoomTo(map, geometry);
    return start(() => editShape(map, geometry, { change: take, done: take }));
  };
  const draw = (): Promise<void> =>
    start(() =>
      startSketch(map, kind, {
        done: (geometry) => {
          take(geometry);
          stop();
        },
      }),
    );
  const snap = async (line: GeoJSON.LineString): Promise<void> => {
    stop();
    try {
      const { line: joined, from, to } = await snapEnds(line, layer);
      take(joined);
      told.joined?.(from, to);
      say(from && to ? "" : t("work.noNodeNear"));
    } catch (problem) {
      say(explain(problem));
    }
  };
  const show = (): void => {
    const geometry = told.get();
    const simple = simpleShape(geometry);
    words.textContent = describe(geometry);
    if (sketching) {
      const hint = h("span", { class: "soft" }, t(kind === "Point" ? "work.sketchPoint" : "work.sketching"));
      replace(buttons, textButton(t("work.sketchDone"), stop, "button-small button-primary"), hint);
      return;
    }
    const isLine = geometry?.type === "LineString";
    replace(
      buttons,
      simple ? textButton(t("work.move"), () => void move(simple), "button-small") : null,
      textButton(t(geometry ? "work.drawAgain" : "work.draw"), () => void draw(), "button-small"),
      isLine && nodeLayers(layer).length > 0
        ? textButton(t("work.snap"), () => void snap(geometry), "button-small")
        : null,
    );
  };
  typed.value = (() => {
    const geometry = told.get();
    return geometry ? (writeVertices(geometry) ?? "") : "";
  })();
  typed.addEventListener("input", () => {
    const geometry = readVertices(typed.value, kind);
    typed.setAttribute("aria-invalid", String(geometry === null));
    if (geometry) take(geometry);
    else say(t("work.wrongPlace"));
  });
  show();
  const element = h("div", { class: "field", role: "group", "aria-label": t("work.place") });
  replace(element, h("span", { class: "field-label" }, t("work.place")), words, buttons, typing, error);
  return { element, say, stop };
}
