/** What is drawn and measured, on the map. */

import type { GeoJSONSource, LayerSpecification, Map as MapView } from "maplibre-gl";
import { getState } from "../state";
import { COLORS, drawing, geometryOfShape, type Shape } from "./drawing";

const SOURCE = "drawing";
const FONT = ["Be Vietnam Pro"];
const DEFAULT = "#c23b22";

let measured: Shape | null = null;
let hidden: number | null = null;

function featureOf(shape: Shape): GeoJSON.Feature {
  const { kind, name, color } = shape;
  return {
    type: "Feature",
    geometry: geometryOfShape(shape),
    properties: { kind, name, color: COLORS[color] ?? DEFAULT },
  };
}

function collect(): GeoJSON.FeatureCollection {
  const shapes = drawing.get().filter((_, index) => index !== hidden);
  return { type: "FeatureCollection", features: [...shapes, ...(measured ? [measured] : [])].map(featureOf) };
}

function layers(): LayerSpecification[] {
  const dark = getState().scheme === "dark";
  const halo = dark ? "#101a23" : "#ffffff";
  const isNote = ["==", ["get", "kind"], "Note"];
  return [
    {
      id: "drawing-fill",
      type: "fill",
      source: SOURCE,
      filter: ["==", ["get", "kind"], "Polygon"],
      paint: { "fill-color": ["get", "color"], "fill-opacity": 0.16 },
    },
    {
      id: "drawing-line",
      type: "line",
      source: SOURCE,
      filter: ["!=", ["geometry-type"], "Point"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": ["get", "color"], "line-width": 3 },
    },
    {
      id: "drawing-point",
      type: "circle",
      source: SOURCE,
      filter: ["==", ["get", "kind"], "Point"],
      paint: {
        "circle-color": ["get", "color"],
        "circle-radius": 7,
        "circle-stroke-color": halo,
        "circle-stroke-width": 2,
      },
    },
    {
      id: "drawing-name",
      type: "symbol",
      source: SOURCE,
      layout: {
        "text-field": ["get", "name"],
        "text-font": FONT,
        "text-size": ["case", isNote, 15, 13],
        "text-offset": ["case", isNote, ["literal", [0, 0]], ["literal", [0, 1.3]]],
        "symbol-placement": "point",
        "text-allow-overlap": true,
        "text-max-width": 14,
      },
      paint: { "text-color": dark ? "#eaf2f7" : "#12303f", "text-halo-color": halo, "text-halo-width": 2 },
    },
  ] as LayerSpecification[];
}

function draw(map: MapView): void {
  const source = map.getSource<GeoJSONSource>(SOURCE);
  if (source) {
    source.setData(collect());
    return;
  }
  // Before the style has come there is nothing to add to; it is told below when it has.
  if (!map.getStyle()) return;
  map.addSource(SOURCE, { type: "geojson", data: collect() });
  for (const layer of layers()) map.addLayer(layer);
}

let followed = false;

/** Keep what is drawn on the map, also when its style is replaced. */
export function followDrawing(map: MapView): void {
  if (followed) return;
  followed = true;
  drawing.watch(() => draw(map));
  map.on("style.load", () => draw(map));
  draw(map);
}

/** Show what was measured, or nothing any more. */
export function showMeasured(map: MapView, shape: Shape | null): void {
  measured = shape;
  followDrawing(map);
  draw(map);
}

/** Leave out the shape that is being edited by hand. */
export function hideShape(map: MapView, index: number | null): void {
  hidden = index;
  draw(map);
}
