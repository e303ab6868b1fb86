/** The panel of alarms. */

import type { Map as MapView } from "maplibre-gl";
import { h } from "../dom";
import { addWords, t } from "../i18n";
import { alarmsEn } from "../i18n/alarms-en";
import { alarmsVi } from "../i18n/alarms-vi";
import { makeTools, type Part } from "../panels/tools";
import { DUTIES, type Duty, getState, setState } from "../state";
import type { ZoomToItem } from "../types";

addWords({ vi: alarmsVi, en: alarmsEn });

const stub = (): Part => ({ element: h("div") });

const BUILD: Record<Duty, (map: MapView, zoomToItem: ZoomToItem) => Part> = {
  list: stub,
  statistics: stub,
  rules: stub,
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
