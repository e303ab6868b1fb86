/** The shape that an item once had, drawn over the map until something else is looked at. */

import type { GeoJSONSource, Map as MapView } from "maplibre-gl";

const SOURCE = "old-shape";
const COLOR = "#7a4fb5";
const NOTHING: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

let shown: GeoJSON.Geometry | null = null;
const followed = new WeakSet<MapView>();

const describe = (): GeoJSON.GeoJSON => (shown ? { type: "Feature", geometry: shown, properties: {} } : NOTHING);

function addLayers(map: MapView): void {
  if (map.getSource(SOURCE)) return;
  map.addSource(SOURCE, { type: "geojson", data: describe() });
  map.addLayer({
    id: "old-shape-fill",
    type: "fill",
    source: SOURCE,
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": COLOR, "fill-opacity": 0.15 },
  });
  map.addLayer({
    id: "old-shape-line",
    type: "line",
    source: SOURCE,
    filter: ["!=", ["geometry-type"], "Point"],
    paint: { "line-color": COLOR, "line-width": 3, "line-dasharray": [2, 1.5] },
  });
  map.addLayer({
    id: "old-shape-point",
    type: "circle",
    source: SOURCE,
    filter: ["==", ["geometry-type"], "Point"],
    paint: { "circle-radius": 9, "circle-opacity": 0, "circle-stroke-color": COLOR, "circle-stroke-width": 3 },
  });
}

/** Draw an old shape, or none. */
export function drawOldShape(map: MapView, geometry: GeoJSON.Geometry | null): void {
  if (!geometry && !shown) return;
  shown = geometry;
  if (!followed.has(map)) {
    followed.add(map);
    map.on("style.load", () => {
      if (shown) addLayers(map);
    });
  }
  addLayers(map);
  map.getSource<GeoJSONSource>(SOURCE)?.setData(describe());
}
