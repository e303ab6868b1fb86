/** A small map of the city: chosen layers, the flood picture, gauges with their levels, alarms where they are. */

import {
  AttributionControl,
  type GeoJSONSource,
  type LngLatBoundsLike,
  Map as MapView,
  type StyleSpecification,
} from "maplibre-gl";
import { ALARM_COLORS, alarmLevel, mainDatastream } from "../alarm";
import type { StandingAlarm } from "../alarms/api";
import { readStyle } from "../api";
import { chooseFirst, getCatalog, getCity, isPerRun, sensors } from "../data";
import { formatReading } from "../format";
import { say } from "../i18n";
import { loadLabelFont, prepareStyle } from "../map/view";
import { getState, setState } from "../state";
import { drawPicture, type Picture } from "./flood-picture";

const GAUGES = "wall-gauges";
const ALARMS = "wall-alarms";
const FONT = ["Be Vietnam Pro"];

export interface CityMap {
  map: MapView;
  drawFlood: (picture: Picture | null) => void;
  drawGauges: () => void;
  drawAlarms: (alarms: readonly StandingAlarm[]) => void;
}

function describeGauges(): GeoJSON.FeatureCollection {
  const features = sensors
    .filter((sensor) => sensor.properties.kind === "stage")
    .map((sensor): GeoJSON.Feature => {
      const stream = mainDatastream(sensor);
      const level = alarmLevel(sensor);
      const label = formatReading(stream?.result, stream?.unit, "stage");
      return { type: "Feature", geometry: sensor.geometry, properties: { label, color: ALARM_COLORS[level] } };
    });
  return { type: "FeatureCollection", features };
}

function describeAlarms(alarms: readonly StandingAlarm[]): GeoJSON.FeatureCollection {
  const features = alarms.flatMap((alarm): GeoJSON.Feature[] =>
    alarm.position
      ? [
          {
            type: "Feature",
            geometry: { type: "Point", coordinates: alarm.position },
            properties: { label: say(alarm.title), priority: alarm.priority },
          },
        ]
      : [],
  );
  return { type: "FeatureCollection", features };
}

function addMarks(map: MapView, gauges: boolean): void {
  const dark = getState().scheme === "dark";
  const none: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
  const halo = {
    "text-color": dark ? "#f2f7fa" : "#12303f",
    "text-halo-color": dark ? "#0b1620" : "#ffffff",
    "text-halo-width": 2,
  };
  map.addSource(GAUGES, { type: "geojson", data: gauges ? describeGauges() : none });
  map.addSource(ALARMS, { type: "geojson", data: none });
  map.addLayer({
    id: GAUGES,
    type: "circle",
    source: GAUGES,
    paint: {
      "circle-radius": 9,
      "circle-color": ["get", "color"],
      "circle-stroke-color": "#ffffff",
      "circle-stroke-width": 2,
    },
  });
  map.addLayer({
    id: `${GAUGES}-label`,
    type: "symbol",
    source: GAUGES,
    layout: {
      "text-field": ["get", "label"],
      "text-font": FONT,
      "text-size": 16,
      "text-anchor": "left",
      "text-offset": [0.8, 0],
    },
    paint: halo,
  });
  map.addLayer({
    id: ALARMS,
    type: "circle",
    source: ALARMS,
    paint: {
      "circle-radius": 13,
      "circle-color": [
        "match",
        ["get", "priority"],
        "critical",
        "#c81e1e",
        "high",
        "#d9480f",
        "medium",
        "#b7791f",
        "#3b6ea5",
      ],
      "circle-stroke-color": "#ffffff",
      "circle-stroke-width": 3,
    },
  });
  map.addLayer({
    id: `${ALARMS}-mark`,
    type: "symbol",
    source: ALARMS,
    layout: { "text-field": "!", "text-font": FONT, "text-size": 18, "text-allow-overlap": true },
    paint: { "text-color": "#ffffff" },
  });
}

/** Make the map; `layers` are ids of the catalogue, without them those of the first view. */
export async function makeCityMap(
  container: HTMLElement,
  options: { layers: readonly string[] | null; gauges: boolean },
): Promise<CityMap> {
  const tree = getCatalog()
    .themes.flatMap((theme) => theme.layers)
    .filter((layer) => !isPerRun(layer));
  const chosen = options.layers ?? chooseFirst(tree).map((layer) => layer.id);
  setState({ layers: new Set(chosen) });
  const [style] = await Promise.all([readStyle(getState().scheme), loadLabelFont()]);
  const map = new MapView({
    container,
    style: prepareStyle(style as StyleSpecification),
    bounds: getCity().bounds as LngLatBoundsLike,
    fitBoundsOptions: { padding: 16 },
    attributionControl: false,
    dragRotate: false,
    fadeDuration: 0,
  });
  map.addControl(new AttributionControl({ compact: true, customAttribution: getCity().attribution }), "bottom-left");
  map.once("idle", () => container.querySelector("details.maplibregl-ctrl-attrib")?.removeAttribute("open"));
  await map.once("style.load");
  addMarks(map, options.gauges);
  // A wall that is resized keeps the whole city in view.
  map.on("resize", () => map.fitBounds(getCity().bounds as LngLatBoundsLike, { padding: 16, animate: false }));
  return {
    map,
    drawFlood: (picture) => drawPicture(map, picture),
    drawGauges: () => {
      if (options.gauges) map.getSource<GeoJSONSource>(GAUGES)?.setData(describeGauges());
    },
    drawAlarms: (alarms) => map.getSource<GeoJSONSource>(ALARMS)?.setData(describeAlarms(alarms)),
  };
}
