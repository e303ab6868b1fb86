/** What table and queries draw on the map: what was found, the ticked rows, the row under the pointer. */

import type { ExpressionSpecification, GeoJSONSource, Map as MapView } from "maplibre-gl";
import { firstMark } from "../map/order";

const FOUND = "found-";
const ROWS = "table-rows";
const COLORS = { found: "#c2185b", chosen: "#ff7a1a", pointed: "#0f7ea8", asked: "#5b3aa8" };
const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

/** Who has something drawn: the query, or the rows of the table. */
type Owner = "query" | "table";

interface Found {
  layer: string;
  filter: string;
  at: string | null;
}

const found = new Map<Owner, Found>();
let areas: GeoJSON.Geometry[] = [];
let chosen: GeoJSON.Geometry[] = [];
let pointed: GeoJSON.Geometry | null = null;
let followed: MapView | null = null;

const isArea: ExpressionSpecification = ["==", ["geometry-type"], "Polygon"];
const isPoint: ExpressionSpecification = ["==", ["geometry-type"], "Point"];

/** How many items a point of the tiles stands for. */
const members: ExpressionSpecification = ["coalesce", ["get", "point_count"], 1];

function addFound(map: MapView, owner: Owner, { layer, filter, at }: Found): void {
  const base = map.getStyle().sources[layer];
  if (base?.type !== "vector" || !base.tiles) return;
  const id = FOUND + owner;
  const query = new URLSearchParams({ filter, ...(at ? { datetime: at } : {}) });
  map.addSource(id, { ...base, tiles: base.tiles.map((tile) => `${tile.split("?")[0]}?${query}`) });
  const above = { source: id, "source-layer": layer, metadata: { "twin:found": layer } };
  const before = firstMark(map);
  map.addLayer(
    {
      id: `${id}-area`,
      type: "fill",
      ...above,
      filter: isArea,
      paint: { "fill-color": COLORS.found, "fill-opacity": 0.35 },
    },
    before,
  );
  map.addLayer(
    {
      id: `${id}-line`,
      type: "line",
      ...above,
      filter: ["!", isPoint],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: {
        "line-color": COLORS.found,
        "line-width": ["interpolate", ["linear"], ["zoom"], 11, ["case", isArea, 1, 2], 16, ["case", isArea, 1.5, 4]],
      },
    },
    before,
  );
  map.addLayer({
    id: `${id}-point`,
    type: "circle",
    ...above,
    filter: isPoint,
    paint: {
      "circle-color": COLORS.found,
      "circle-radius": [
        "interpolate",
        ["linear"],
        ["zoom"],
        11,
        ["step", members, 2.5, 2, 6, 10, 9, 100, 12],
        17,
        ["step", members, 7, 2, 9, 10, 11, 100, 14],
      ],
      "circle-stroke-color": "#ffffff",
      "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 11, 0.6, 16, 1.5],
    },
  });
  map.addLayer({
    id: `${id}-count`,
    type: "symbol",
    ...above,
    filter: ["has", "point_count"],
    layout: {
      "text-field": ["to-string", ["get", "point_count"]],
      "text-font": ["Be Vietnam Pro"],
      "text-size": 10,
      "text-allow-overlap": true,
      "text-ignore-placement": true,
    },
    paint: { "text-color": "#ffffff" },
  });
}

function clearFound(map: MapView, owner: Owner): void {
  const id = FOUND + owner;
  for (const kind of ["area", "line", "point", "count"])
    if (map.getLayer(`${id}-${kind}`)) map.removeLayer(`${id}-${kind}`);
  if (map.getSource(id)) map.removeSource(id);
}

function rowFeatures(): GeoJSON.FeatureCollection {
  const feature = (geometry: GeoJSON.Geometry, color: string): GeoJSON.Feature => ({
    type: "Feature",
    geometry,
    properties: { color },
  });
  const features = chosen.map((geometry) => feature(geometry, COLORS.chosen));
  features.push(...areas.map((geometry) => feature(geometry, COLORS.asked)));
  return { type: "FeatureCollection", features: pointed ? [...features, feature(pointed, COLORS.pointed)] : features };
}

function addRows(map: MapView): void {
  map.addSource(ROWS, { type: "geojson", data: EMPTY });
  map.addLayer({
    id: `${ROWS}-area`,
    type: "fill",
    source: ROWS,
    filter: isArea,
    paint: { "fill-color": ["get", "color"], "fill-opacity": ["match", ["get", "color"], COLORS.asked, 0.06, 0.22] },
  });
  map.addLayer({
    id: `${ROWS}-line`,
    type: "line",
    source: ROWS,
    filter: ["!", isPoint],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": ["get", "color"], "line-width": 4 },
  });
  map.addLayer({
    id: `${ROWS}-point`,
    type: "circle",
    source: ROWS,
    filter: isPoint,
    paint: {
      "circle-color": ["get", "color"],
      "circle-opacity": 0.35,
      "circle-radius": 9,
      "circle-stroke-color": ["get", "color"],
      "circle-stroke-width": 2.5,
    },
  });
}

function draw(map: MapView): void {
  if (!map.getSource(ROWS)) {
    // Before the style has come there is nothing to draw on; it is drawn when it has.
    if (!map.getStyle()) return;
    addRows(map);
  }
  map.getSource<GeoJSONSource>(ROWS)?.setData(rowFeatures());
}

function follow(map: MapView): void {
  if (followed === map) return;
  followed = map;
  // A change of style takes every overlay with it.
  map.on("style.load", () => {
    for (const [owner, one] of found) addFound(map, owner, one);
    draw(map);
  });
}

/** Draw what a filter finds in a layer over everything, in place of the owner's last; null takes it away. */
export function drawFound(map: MapView, owner: Owner, next: Found | null): void {
  follow(map);
  if (JSON.stringify(found.get(owner) ?? null) === JSON.stringify(next)) return;
  if (next) found.set(owner, next);
  else found.delete(owner);
  if (!map.getStyle()) return;
  clearFound(map, owner);
  if (next) addFound(map, owner, next);
}

/** Outline the shapes that a query asks about. */
export function drawAreas(map: MapView, geometries: GeoJSON.Geometry[]): void {
  follow(map);
  areas = geometries;
  draw(map);
}

export function drawChosen(map: MapView, geometries: GeoJSON.Geometry[]): void {
  follow(map);
  chosen = geometries;
  draw(map);
}

export function drawPointed(map: MapView, geometry: GeoJSON.Geometry | null): void {
  follow(map);
  pointed = geometry;
  draw(map);
}
