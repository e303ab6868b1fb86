/** The panel of traffic: ways and reach, water on roads, flows, what is on the roads now, buses, critical roads. */

import "../styles/traffic.css";
import type { Map as MapView } from "maplibre-gl";
import { addWords, t } from "../i18n";
import { trafficEn } from "../i18n/traffic-en";
import { trafficVi } from "../i18n/traffic-vi";
import { resultsPart } from "../networks/results";
import { isTrafficResult } from "../networks/runs";
import { makeTools, type Part } from "../panels/tools";
import { getState, setState, TRAFFIC, type Traffic } from "../state";
import type { ZoomToItem } from "../types";
import { criticalPart } from "./critical";
import { flowsPart } from "./flows";
import { nowPart } from "./now";
import { reachPart } from "./reach";
import { routePart } from "./route";
import { transitPart } from "./transit";
import { waterPart } from "./water";

addWords({ vi: trafficVi, en: trafficEn });

const BUILD: Record<Traffic, (map: MapView, zoomToItem: ZoomToItem) => Part> = {
  route: routePart,
  reach: reachPart,
  water: waterPart,
  flows: flowsPart,
  now: nowPart,
  transit: transitPart,
  critical: criticalPart,
  results: () => resultsPart(() => getState().traffic === "results" && getState().tab === "traffic", isTrafficResult),
};

/** Build the panel. */
export const trafficPanel = (map: MapView, zoomToItem: ZoomToItem): HTMLElement =>
  makeTools<Traffic>(map, {
    tab: "traffic",
    uses: TRAFFIC,
    key: "traffic",
    chosen: () => getState().traffic,
    choose: (traffic) => setState({ traffic }),
    title: (traffic) => t(`traffic.${traffic}`),
    build: (traffic) => BUILD[traffic](map, zoomToItem),
  });
