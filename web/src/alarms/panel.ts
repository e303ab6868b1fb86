/** The panel of alarms: what stands, how well it serves, the rules behind it. */

import "../styles/alarms.css";
import type { Map as MapView } from "maplibre-gl";
import { addWords, t } from "../i18n";
import { alarmsEn } from "../i18n/alarms-en";
import { alarmsVi } from "../i18n/alarms-vi";
import { makeTools, type Part } from "../panels/tools";
import { DUTIES, type Duty, getState, setState } from "../state";
import type { ZoomToItem } from "../types";
import { listPart } from "./list-part";
import { rulesPart } from "./rules-part";
import { statisticsPart } from "./statistics-part";

addWords({ vi: alarmsVi, en: alarmsEn });

const BUILD: Record<Duty, (map: MapView, zoomToItem: ZoomToItem) => Part> = {
  list: listPart,
  statistics: statisticsPart,
  rules: rulesPart,
};

/** Build the panel. */
export const alarmsPanel = (map: MapView, zoomToItem: ZoomToItem): HTMLElement =>
  makeTools<Duty>(map, {
    tab: "alarms",
    uses: DUTIES,
    key: "duty",
    chosen: () => getState().duty,
    choose: (duty) => setState({ duty }),
    title: (duty) => t(`duty.${duty}`),
    build: (duty) => BUILD[duty](map, zoomToItem),
  });
