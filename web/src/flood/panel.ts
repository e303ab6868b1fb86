/** The flood desk: where we stand, the water of a run, what differs, ways out, warnings, the report. */

import "../styles/desk.css";
import type { Map as MapView } from "maplibre-gl";
import { addWords, t } from "../i18n";
import { deskEn } from "../i18n/desk-en";
import { deskVi } from "../i18n/desk-vi";
import { warningsEn } from "../i18n/warnings-en";
import { warningsVi } from "../i18n/warnings-vi";
import { floodPanel } from "../panels/flood";
import { makeTools, type Part } from "../panels/tools";
import { DESKS, type Desk, getState, setState } from "../state";
import type { ZoomToItem } from "../types";
import { warningsPart } from "../warnings/part";
import { accessPart } from "./access";
import { differencePart } from "./difference";
import { nowPart } from "./now";
import { reportPart } from "./report";
import { wardsPart } from "./wards";

addWords({ vi: deskVi, en: deskEn });
addWords({ vi: warningsVi, en: warningsEn });

const BUILD: Record<Desk, (map: MapView, zoomToItem: ZoomToItem) => Part> = {
  now: nowPart,
  wards: wardsPart,
  water: (_, zoomToItem) => ({ element: floodPanel(zoomToItem) }),
  difference: (_, zoomToItem) => differencePart(zoomToItem),
  access: accessPart,
  warnings: (map) => warningsPart(map),
  report: reportPart,
};

/** Build the panel. */
export const floodDesk = (map: MapView, zoomToItem: ZoomToItem): HTMLElement =>
  makeTools<Desk>(map, {
    tab: "flood",
    uses: DESKS,
    key: "desk",
    chosen: () => getState().desk,
    choose: (desk) => setState({ desk }),
    title: (desk) => t(`desk.${desk}`),
    build: (desk) => BUILD[desk](map, zoomToItem),
  });
