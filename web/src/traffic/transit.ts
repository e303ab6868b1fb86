/** Public transport: what can be reached by it from each place. */

import type { Map as MapView } from "maplibre-gl";
import { t } from "../i18n";
import type { Part } from "../panels/tools";
import { runPart } from "./generic";

/** Build the part. */
export const transitPart = (_: MapView): Part =>
  runPart({ use: "transit", process: "transit-access", none: () => t("transit.noRuns"), tell: () => [] });
