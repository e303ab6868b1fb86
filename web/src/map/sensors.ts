/** Sensors on the map: coloured by kind, ringed by alarm state, with their newest value as label. */

import type { ExpressionSpecification, FilterSpecification, GeoJSONSource, Map as MapView } from "maplibre-gl";
import { ALARM_COLORS, alarmLevel, isStale, mainDatastream, sensorKind } from "../alarm";
import { readItems } from "../api";
import { sensors } from "../data";
import { formatReading } from "../format";
import { getState } from "../state";

const SOURCE = "live-sensors";
export const SENSOR_LAYERS = ["live-sensors-halo", "live-sensors", "live-sensors-label"] as const;

const RAISED: ExpressionSpecification = [">", ["get", "level"], 0];
const MOST = 10_000;
/** Farther out, as on a phone that shows the whole city, values would hide the city. */
const VALUES_ZOOM = 12.2;

function describe(): GeoJSON.FeatureCollection {
  const features = sensors.map((sensor): GeoJSON.Feature => {
    const stream = mainDatastream(sensor);
    const level = alarmLevel(sensor);
    const label = formatReading(stream?.result, stream?.unit, sensor.properties.kind);
    const color = sensorKind(sensor.properties.kind)?.color ?? "#1f6fb2";
    return {
      type: "Feature",
      geometry: sensor.geometry,
      properties: {
        id: sensor.id,
        name: sensor.properties.name,
        label,
        level,
        color,
        ring: level > 0 ? ALARM_COLORS[level] : "#ffffff",
        faded: isStale(stream) ? 0.55 : 1,
      },
    };
  });
  return { type: "FeatureCollection", features };
}

/** Add the sensors' source and layers. */
export function addSensors(map: MapView): void {
  const dark = getState().scheme === "dark";
  map.addSource(SOURCE, { type: "geojson", data: describe() });
  map.addLayer({
    id: SENSOR_LAYERS[0],
    type: "circle",
    source: SOURCE,
    filter: RAISED,
    paint: { "circle-radius": 15, "circle-color": ["get", "ring"], "circle-opacity": 0.28 },
  });
  map.addLayer({
    id: SENSOR_LAYERS[1],
    type: "circle",
    source: SOURCE,
    paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 11, 4, 13, 7],
      "circle-color": ["get", "color"],
      "circle-opacity": ["get", "faded"],
      "circle-stroke-color": ["get", "ring"],
      "circle-stroke-width": [
        "interpolate",
        ["linear"],
        ["zoom"],
        11,
        ["case", RAISED, 2.5, 1],
        13,
        ["case", RAISED, 3, 2],
      ],
    },
  });
  map.addLayer({
    id: SENSOR_LAYERS[2],
    type: "symbol",
    source: SOURCE,
    minzoom: VALUES_ZOOM,
    layout: {
      "text-field": ["get", "label"],
      "text-font": ["Be Vietnam Pro"],
      "text-size": 12,
      "text-anchor": "left",
      "text-offset": [1, 0],
      "text-optional": true,
    },
    paint: {
      "text-color": dark ? "#eaf2f7" : "#12303f",
      "text-halo-color": dark ? "#101a23" : "#ffffff",
      "text-halo-width": 1.8,
    },
  });
  showSensors(map);
}

/** Put the newest readings on the map. */
export function updateSensors(map: MapView): void {
  map.getSource<GeoJSONSource>(SOURCE)?.setData(describe());
}

export function showSensors(map: MapView): void {
  const visibility = getState().layers.has("sensors") ? "visible" : "none";
  for (const id of SENSOR_LAYERS) if (map.getLayer(id)) map.setLayoutProperty(id, "visibility", visibility);
}

/** The person's condition on the sensors, and those that meet it. */
let asked: string | null = null;
let met: readonly string[] | null = null;

function showMet(map: MapView): void {
  const isMet: FilterSpecification | null = met && ["in", ["get", "id"], ["literal", [...met]]];
  for (const id of SENSOR_LAYERS) {
    if (!map.getLayer(id)) continue;
    const own = id === SENSOR_LAYERS[0] ? RAISED : null;
    map.setFilter(id, own && isMet ? (["all", own, isMet] as FilterSpecification) : (isMet ?? own));
  }
}

/** Draw only the sensors that meet a condition in CQL2; the server says which, for they are not drawn from tiles. */
export function filterSensors(map: MapView, filter: string | null): void {
  if (filter === asked) {
    if (met) showMet(map);
    return;
  }
  asked = filter;
  if (filter === null) {
    met = null;
    showMet(map);
    return;
  }
  readItems("sensors", { filter, skipGeometry: "true", properties: "", limit: String(MOST) }).then(
    ({ features }) => {
      if (asked !== filter) return;
      met = features.map(({ id }) => id);
      showMet(map);
    },
    (error: unknown) => console.warn("sensors:", error),
  );
}
