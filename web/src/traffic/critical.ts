/** Critical roads: which are missed the most, by several measures side by side. */

import type { Map as MapView } from "maplibre-gl";
import { t } from "../i18n";
import type { Part } from "../panels/tools";
import { runPart } from "./generic";

/** Build the part. */
export const criticalPart = (_: MapView): Part =>
  runPart({ use: "critical", process: "road-criticality", none: () => t("critical.noRuns"), tell: () => [] });
