/** The panel of the planner: two states of the city compared, areas, parcels, projects, what if. */

import type { Map as MapView } from "maplibre-gl";
import { addWords, t } from "../i18n";
import { planningEn } from "../i18n/planning-en";
import { planningVi } from "../i18n/planning-vi";
import { makeTools, type Part } from "../panels/tools";
import { getState, PLANS, type Plan, setState } from "../state";
import type { ZoomToItem } from "../types";
import { areaPart } from "./area";
import { comparePart } from "./compare";
import { editsPart } from "./edits";
import { parcelPart } from "./parcel";
import { projectsPart } from "./projects";
import "../styles/planning.css";

addWords({ vi: planningVi, en: planningEn });

const BUILD: Record<Plan, (map: MapView, zoomToItem: ZoomToItem) => Part> = {
  compare: comparePart,
  area: areaPart,
  parcel: parcelPart,
  projects: projectsPart,
  edits: editsPart,
};

/** Build the panel. */
export const planningPanel = (map: MapView, zoomToItem: ZoomToItem): HTMLElement =>
  makeTools<Plan>(map, {
    tab: "planning",
    uses: PLANS,
    key: "plan",
    chosen: () => getState().plan,
    choose: (plan) => setState({ plan }),
    title: (plan) => t(`plan.${plan}`),
    build: (plan) => BUILD[plan](map, zoomToItem),
  });
