/** What the pointer is over: the feature is lit up faintly, and a circle that stands for several opens with a click. */

import type { GeoJSONSource, MapMouseEvent, Map as MapView } from "maplibre-gl";
import { isAiming } from "./aim";
import { find, findCluster } from "./pick";

const SOURCE = "hover";
const COLOR = "#ff7a1a";
const POINTER_MS = 80;
/** From this zoom on every item stands for itself. */
const DETAIL_ZOOM = 14;
const STEP = 2;
const NOTHING: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

function addLight(map: MapView): void {
  if (map.getSource(SOURCE)) return;
  map.addSource(SOURCE, { type: "geojson", data: NOTHING });
  map.addLayer({
    id: "hover-fill",
    type: "fill",
    source: SOURCE,
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": COLOR, "fill-opacity": 0.22 },
  });
  map.addLayer({
    id: "hover-line",
    type: "line",
    source: SOURCE,
    filter: ["==", ["geometry-type"], "LineString"],
    layout: { "line-cap": "round" },
    paint: { "line-color": COLOR, "line-width": 6, "line-opacity": 0.45 },
  });
  map.addLayer({
    id: "hover-point",
    type: "circle",
    source: SOURCE,
    filter: ["==", ["geometry-type"], "Point"],
    paint: {
      "circle-radius": 11,
      "circle-opacity": 0,
      "circle-stroke-color": COLOR,
      "circle-stroke-width": 2,
      "circle-stroke-opacity": 0.8,
    },
  });
}

/** Follow the pointer; a finger has none. */
export function followPointer(map: MapView): void {
  if (!matchMedia("(hover: hover)").matches) return;
  let shown = "";
  let asked = 0;
  const light = (key: string, geometry: GeoJSON.Geometry | null): void => {
    if (key === shown) return;
    shown = key;
    addLight(map);
    map.getSource<GeoJSONSource>(SOURCE)?.setData(geometry ? { type: "Feature", geometry, properties: {} } : NOTHING);
  };
  map.on("style.load", () => {
    shown = "";
  });
  map.on("mousemove", (event) => {
    if (isAiming() || map.isMoving() || performance.now() - asked < POINTER_MS) return;
    asked = performance.now();
    const cluster = findCluster(map, event);
    const top = cluster ? undefined : find(map, event)[0];
    map.getCanvas().style.cursor = top || cluster ? "pointer" : "";
    if (cluster) light(`cluster/${cluster.id ?? JSON.stringify(cluster.geometry)}`, cluster.geometry);
    else light(top ? `${top.layer}/${top.id}` : "", top?.feature.geometry ?? null);
  });
  map.on("mouseout", () => light("", null));
  map.on("movestart", () => light("", null));
}

/** Zoom in to what a circle under the click stands for; false where there is none, or a single point is nearer. */
export function openCluster(map: MapView, event: MapMouseEvent): boolean {
  const cluster = findCluster(map, event);
  if (cluster?.geometry.type !== "Point") return false;
  const [lon = 0, lat = 0] = cluster.geometry.coordinates;
  map.easeTo({ center: [lon, lat], zoom: Math.max(map.getZoom(), Math.min(map.getZoom() + STEP, DETAIL_ZOOM)) });
  return true;
}
