/** Drawing on the map by hand, with Terra Draw; its program is loaded when somebody draws. */

import type { Map as MapView } from "maplibre-gl";
import type { GeoJSONStoreFeatures, TerraDraw, TerraDrawExtend } from "terra-draw";
import { getState } from "../state";
import { holdClicks, stopAiming } from "./aim";

export type SketchKind = "Point" | "LineString" | "Polygon" | "Rectangle" | "Circle";

export interface SketchTold {
  /** The shape is finished. */
  done?: (geometry: GeoJSON.Geometry) => void;
  /** The shape as it is while it is drawn; its last corner follows the pointer. */
  change?: (geometry: GeoJSON.Geometry) => void;
  /** The drawing is over, whoever ended it. */
  ended?: () => void;
}

export interface Sketching {
  /** End the drawing and take it off the map. */
  stop: () => void;
}

/** A shape that is being drawn: its corners can also be typed, taken back and closed without the pointer. */
export interface Drawing extends Sketching {
  add: (place: { lng: number; lat: number }) => void;
  undo: () => void;
  finish: () => void;
}

interface Board {
  draw: TerraDraw;
  /** What the map would tell the drawing of pointer and keys. */
  hears: () => TerraDrawExtend.TerraDrawCallbacks | null;
  stop: () => void;
}

const MODES: Record<SketchKind, string> = {
  Point: "point",
  LineString: "linestring",
  Polygon: "polygon",
  Rectangle: "rectangle",
  Circle: "circle",
};
/** Digits of a coordinate: 1e-7 degrees are a centimetre. */
const PRECISION = 7;

/** The colour that is drawn in, as a hexadecimal number of the page's style. */
const inkColor = (): `#${string}` => (getState().scheme === "dark" ? "#ffb454" : "#b3261e");

/** Make a drawing board on the map; while it stands, clicks are not the map's own. */
async function openBoard(map: MapView, ended: () => void): Promise<Board> {
  const [terra, { TerraDrawMapLibreGLAdapter }] = await Promise.all([
    import("terra-draw"),
    import("terra-draw-maplibre-gl-adapter"),
  ]);
  const ink = inkColor();
  const fill = { fillColor: ink, fillOpacity: 0.18, outlineColor: ink, outlineWidth: 2 } as const;
  const line = { lineStringColor: ink, lineStringWidth: 3 } as const;
  const corner = { coordinatePointColor: ink, coordinatePointWidth: 4 } as const;
  const closing = { closingPointColor: ink, closingPointWidth: 6, ...corner } as const;
  const editing = {
    feature: {
      draggable: true,
      coordinates: { midpoints: true, draggable: true, deletable: true },
    },
  } as const;
  let callbacks: TerraDrawExtend.TerraDrawCallbacks | null = null;
  class Adapter extends TerraDrawMapLibreGLAdapter<MapView> {
    override register(heard: TerraDrawExtend.TerraDrawCallbacks): void {
      callbacks = heard;
      super.register(heard);
    }
  }
  const draw = new terra.TerraDraw({
    adapter: new Adapter({ map, coordinatePrecision: PRECISION }),
    modes: [
      new terra.TerraDrawPointMode({ styles: { pointColor: ink, pointWidth: 7 } }),
      new terra.TerraDrawLineStringMode({ styles: { ...line, ...closing }, showCoordinatePoints: true }),
      new terra.TerraDrawPolygonMode({ styles: { ...fill, ...closing }, showCoordinatePoints: true }),
      new terra.TerraDrawRectangleMode({ styles: fill }),
      new terra.TerraDrawCircleMode({ styles: fill }),
      new terra.TerraDrawSelectMode({
        flags: { point: { feature: { draggable: true } }, linestring: editing, polygon: editing },
      }),
    ],
    undoRedo: {
      modeLevel: new terra.TerraDrawModeUndoRedo(),
      keyboardShortcuts: new terra.TerraDrawUndoRedoKeyboardShortcuts(),
    },
  });
  draw.start();
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    map.off("style.load", stop);
    // Another style has taken the drawing with it already.
    if (draw.enabled) draw.stop();
    ended();
  };
  const stop = (): void => {
    if (open) stopAiming(map);
  };
  // Whoever else waits for a click takes the map over, and the drawing ends.
  holdClicks(map, close);
  map.on("style.load", stop);
  return { draw, hears: () => callbacks, stop };
}

const geometryOf = (feature: GeoJSONStoreFeatures | undefined): GeoJSON.Geometry | undefined =>
  feature?.geometry as GeoJSON.Geometry | undefined;

/** Let a shape be drawn; it stays on the map until it is stopped. */
export async function startSketch(map: MapView, kind: SketchKind, told: SketchTold): Promise<Drawing> {
  const { draw, hears, stop } = await openBoard(map, () => told.ended?.());
  draw.setMode(MODES[kind]);
  draw.on("change", (ids) => {
    const shape = ids
      .map((id) => draw.getSnapshotFeature(id))
      .find((one) => one?.properties["mode"] === MODES[kind] && one.geometry.type !== "Point");
    const geometry = geometryOf(shape);
    if (geometry) told.change?.(geometry);
  });
  draw.on("finish", (id) => {
    const geometry = geometryOf(draw.getSnapshotFeature(id));
    // The click that finished the shape is still on its way to the map, which must not take it for its own.
    setTimeout(() => {
      // One shape is asked for: the next click begins no other.
      if (draw.enabled) draw.setMode("static");
      if (geometry) told.done?.(geometry);
    });
  });
  const add = ({ lng, lat }: { lng: number; lat: number }): void => {
    const { x, y } = map.project([lng, lat]);
    const event = { lng, lat, containerX: x, containerY: y, heldKeys: [], isContextMenu: false };
    hears()?.onMouseMove({ ...event, button: "neither" });
    hears()?.onClick({ ...event, button: "left" });
  };
  const finish = (): void => hears()?.onKeyUp({ key: "Enter", heldKeys: [], preventDefault: () => undefined });
  return { stop, add, finish, undo: () => void draw.undo() };
}

/** Let the corners of a point, line or area be moved; every change is told. */
export async function editShape(map: MapView, geometry: GeoJSON.Geometry, told: SketchTold): Promise<Sketching> {
  if (geometry.type !== "Point" && geometry.type !== "LineString" && geometry.type !== "Polygon") {
    throw new Error(`a ${geometry.type} cannot be drawn anew by hand`);
  }
  const { draw, stop } = await openBoard(map, () => told.ended?.());
  const mode = { Point: "point", LineString: "linestring", Polygon: "polygon" }[geometry.type];
  const [added] = draw.addFeatures([
    { type: "Feature", geometry: rounded(geometry), properties: { mode } } as unknown as GeoJSONStoreFeatures,
  ]);
  if (!added?.valid || added.id === undefined) {
    stop();
    throw new Error(added?.reason ?? "the shape cannot be drawn");
  }
  const id = added.id;
  draw.setMode("select");
  draw.selectFeature(id);
  const tell = (listener: SketchTold["change"]): void => {
    const now = geometryOf(draw.getSnapshotFeature(id));
    if (now) listener?.(now);
  };
  draw.on("change", (ids) => {
    if (ids.includes(id)) tell(told.change);
  });
  draw.on("finish", () => tell(told.done));
  return { stop };
}

/** Terra Draw refuses coordinates of more digits than it keeps. */
function rounded(geometry: GeoJSON.Point | GeoJSON.LineString | GeoJSON.Polygon): GeoJSON.Geometry {
  const round = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(round) : Number((value as number).toFixed(PRECISION));
  return { ...geometry, coordinates: round(geometry.coordinates) } as GeoJSON.Geometry;
}
