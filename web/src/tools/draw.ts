/** Drawing: points, lines, areas and notes with a name and a colour; a list of them; files in and out. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { explain, t } from "../i18n";
import type { IconName } from "../icons";
import { zoomTo } from "../map/pick";
import { type Drawing, editShape, type Sketching, startSketch } from "../map/sketch";
import { notify } from "../panels/notice";
import { empty, loading, textButton } from "../panels/parts";
import { drawnRow } from "./draw-row";
import {
  drawing,
  fitsLink,
  geometryOfShape,
  MOST_SHAPES,
  placesOf,
  SHAPE_KINDS,
  type Shape,
  type ShapeKind,
} from "./drawing";
import { readDrawingFile, saveDrawing } from "./files";
import { hideShape } from "./overlay";
import { makeTyping } from "./typing";
import { openWindow } from "./window";

const ICONS: Record<ShapeKind, IconName> = { Point: "pin", LineString: "wave", Polygon: "area", Note: "note" };
const SKETCHES = { Point: "Point", LineString: "LineString", Polygon: "Polygon", Note: "Point" } as const;
const SHOWN = 30;

/** What was drawn before each change, the latest last. */
const history: (readonly Shape[])[] = [];
let nextColor = 0;

function change(shapes: readonly Shape[]): void {
  history.push(drawing.get());
  if (history.length > 50) history.shift();
  drawing.set(shapes);
}

const defaultName = (kind: ShapeKind, shapes: readonly Shape[]): string =>
  `${t(`draw.${kind}`)} ${shapes.filter((shape) => shape.kind === kind).length + 1}`;

/** Open the window. */
export function openDraw(map: MapView): void {
  let kind: ShapeKind | null = null;
  let edited: number | null = null;
  let sketch: Drawing | null = null;
  let shaping: Sketching | null = null;
  const starters = h("div", { class: "draw-kinds", role: "group" });
  const status = h("div", { class: "draw-status", role: "status" });
  const typing = h("div");
  const list = h("div");
  const actions = h("div", { class: "row draw-actions" });

  const update = (): void => {
    drawStarters();
    drawStatus();
    drawList();
  };
  const stop = (): void => {
    sketch?.stop();
    shaping?.stop();
  };
  const addShape = (geometry: GeoJSON.Geometry): void => {
    const shapes = drawing.get();
    const drawn = kind ?? "Point";
    const name = drawn === "Note" ? t("draw.Note") : defaultName(drawn, shapes);
    stop();
    change([...shapes, { kind: drawn, name, color: nextColor, places: placesOf(geometry) }]);
    // The name is what is still to be given.
    edited = shapes.length;
    kind = null;
    update();
    list.querySelector<HTMLInputElement>("input.input")?.select();
  };
  const start = async (next: ShapeKind): Promise<void> => {
    const same = kind === next;
    stop();
    edited = null;
    kind = same ? null : next;
    update();
    if (same) return;
    if (drawing.get().length >= MOST_SHAPES) {
      kind = null;
      replace(status, t("draw.full", { most: MOST_SHAPES }));
      return;
    }
    try {
      const begun = await startSketch(map, SKETCHES[next], {
        done: addShape,
        ended: () => {
          if (sketch !== begun) return;
          sketch = null;
          kind = null;
          update();
        },
      });
      if (kind !== next) {
        begun.stop();
        return;
      }
      sketch = begun;
      update();
    } catch (error) {
      kind = null;
      replace(status, explain(error));
    }
  };
  const reshape = async (index: number): Promise<void> => {
    stop();
    const shape = drawing.get()[index];
    if (!shape) return;
    let latest: GeoJSON.Geometry | null = null;
    const take = (geometry: GeoJSON.Geometry): void => {
      latest = geometry;
    };
    hideShape(map, index);
    try {
      const begun = await editShape(map, geometryOfShape(shape), {
        change: take,
        done: take,
        ended: () => {
          if (shaping === begun) shaping = null;
          hideShape(map, null);
          if (latest) setShape(index, { places: placesOf(latest) });
          update();
        },
      });
      shaping = begun;
      update();
    } catch (error) {
      hideShape(map, null);
      replace(status, explain(error));
    }
  };
  const setShape = (index: number, changed: Partial<Shape>): void =>
    change(drawing.get().map((shape, place) => (place === index ? { ...shape, ...changed } : shape)));
  const undo = (): void => {
    const before = history.pop();
    if (!before) return;
    stop();
    edited = null;
    drawing.set(before);
    update();
  };
  const remove = (index: number): void => {
    stop();
    edited = null;
    const name = drawing.get()[index]?.name ?? "";
    change(drawing.get().filter((_, place) => place !== index));
    update();
    notify(t("draw.removed", { name }), { label: t("draw.undo"), run: undo });
  };
  const removeAll = (): void => {
    stop();
    edited = null;
    change([]);
    update();
    notify(t("draw.cleared"), { label: t("draw.undo"), run: undo });
  };
  const importFile = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    replace(status, loading(t("draw.reading")));
    try {
      const { shapes, left } = await readDrawingFile(file, MOST_SHAPES - drawing.get().length);
      change([...drawing.get(), ...shapes]);
      update();
      replace(
        status,
        t("draw.imported", { count: shapes.length }),
        left > 0 ? ` ${t("draw.left", { count: left })}` : null,
      );
      const all: GeoJSON.GeometryCollection = { type: "GeometryCollection", geometries: shapes.map(geometryOfShape) };
      zoomTo(map, all);
    } catch (error) {
      replace(status, h("span", { class: "field-error" }, explain(error)));
    }
  };

  const drawStarters = (): void => {
    starters.setAttribute("aria-label", t("tool.draw"));
    replace(
      starters,
      ...SHAPE_KINDS.map((one) => {
        const button = textButton(t(`draw.${one}`), () => void start(one), "button-small", ICONS[one]);
        button.setAttribute("aria-pressed", String(kind === one));
        return button;
      }),
    );
  };
  const drawStatus = (): void => {
    if (shaping) {
      replace(status, h("p", {}, t("draw.shaping")), textButton(t("draw.shaped"), stop, "button-small button-primary"));
    } else if (kind && !sketch) {
      replace(status, loading(t("draw.starting")));
    } else if (kind) {
      const isLong = kind === "LineString" || kind === "Polygon";
      replace(
        status,
        h("p", {}, t(isLong ? "draw.hintLong" : "draw.hintPoint")),
        isLong ? textButton(t("measure.undo"), () => sketch?.undo(), "button-small", "undo") : null,
        isLong ? textButton(t("measure.finish"), () => sketch?.finish(), "button-small button-primary") : null,
        textButton(t("app.cancel"), stop, "button-small"),
      );
    } else replace(status);
    typing.hidden = !sketch;
  };
  const row = (shape: Shape, index: number): HTMLElement =>
    drawnRow(shape, edited === index, {
      toggle: () => {
        edited = edited === index ? null : index;
        update();
      },
      zoom: () => zoomTo(map, geometryOfShape(shape)),
      remove: () => remove(index),
      // The field keeps its place; the row tells the new name itself.
      rename: (name) => {
        setShape(index, { name });
        drawActions();
      },
      recolor: (color) => {
        nextColor = color;
        setShape(index, { color });
        update();
        list.querySelector<HTMLElement>(".drawn-form :checked")?.focus();
      },
      replace: (places) => {
        setShape(index, { places });
        update();
      },
      reshape: () => void reshape(index),
    });
  const drawList = (): void => {
    const shapes = drawing.get();
    const first = Math.max(0, shapes.length - SHOWN);
    const rows = shapes.slice(first).map((shape, place) => row(shape, first + place));
    const fits = fitsLink(shapes);
    replace(
      list,
      shapes.length === 0
        ? empty(t("draw.none"))
        : h("ul", { class: "drawn-list", "aria-label": t("draw.list") }, ...rows),
      first > 0 ? h("p", { class: "soft" }, t("draw.more", { count: formatNumber(first, 0) })) : null,
      shapes.length > 0
        ? h("p", { class: fits ? "soft" : "field-error" }, t(fits ? "draw.inLink" : "draw.notInLink"))
        : null,
    );
    drawActions();
  };
  const drawActions = (): void => {
    const shapes = drawing.get();
    const file = h("input", {
      type: "file",
      accept: ".geojson,.json,application/geo+json",
      class: "sr-only",
      tabindex: -1,
      "aria-hidden": "true",
    });
    file.addEventListener("change", () => void importFile(file.files?.[0]));
    const undoing = textButton(t("draw.undo"), undo, "button-small", "undo");
    undoing.disabled = history.length === 0;
    replace(
      actions,
      undoing,
      shapes.length > 0 ? textButton(t("draw.export"), () => saveDrawing(shapes), "button-small", "download") : null,
      textButton(t("draw.import"), () => file.click(), "button-small", "upload"),
      shapes.length > 0 ? textButton(t("draw.clear"), removeAll, "button-small", "trash") : null,
      file,
    );
  };
  const build = (): HTMLElement => {
    update();
    replace(
      typing,
      makeTyping(map, (place) => sketch?.add(place)),
    );
    return h("div", {}, starters, status, typing, list, actions);
  };
  openWindow({ name: "draw", title: () => t("tool.draw"), build, closed: stop });
}
