/** Flows of an assignment: how full each road is, by width and colour, and what the run adds up to. */

import type { Map as MapView } from "maplibre-gl";
import { t } from "../i18n";
import type { Part } from "../panels/tools";
import { runPart } from "./generic";

/** Build the part. */
export const flowsPart = (_: MapView): Part =>
  runPart({ use: "flows", process: "traffic-assignment", none: () => t("flows.noRuns"), tell: () => [] });
