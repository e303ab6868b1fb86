/** Questions that people of the field ask, ready to be changed a little. */

import { findVectorLayer } from "../data";
import { t } from "../i18n";
import { getState } from "../state";
import { yearsAgo } from "./tests";

export interface Example {
  title: string;
  layer: string;
  filter: string;
}

/** Return the questions that the city's layers can answer. */
export function listExamples(): Example[] {
  const { runId } = getState();
  const run = runId ? `run_id = '${runId}' AND ` : "";
  const examples: (Example & { needs: string[] })[] = [
    {
      title: t("example.lamps"),
      layer: "luminaires",
      filter: `lamp_type IN ('sodium', 'mercury', 'halide') AND installed < DATE('${yearsAgo(10)}') AND near(places, 200, category IN ('school', 'hospital', 'clinic'))`,
      needs: ["places"],
    },
    {
      title: t("example.drains"),
      layer: "drainage_links",
      filter: `installed < DATE('${yearsAgo(20)}') AND near(flood_assets, 30, ${run}depth_class IN ('low', 'medium', 'high', 'extreme'))`,
      needs: ["flood_assets"],
    },
    {
      title: t("example.trees"),
      layer: "trees",
      filter: "near(power_lines, 4, laying = 'overhead') AND NOT inside(green_spaces)",
      needs: ["power_lines", "green_spaces"],
    },
    {
      title: t("example.pipes"),
      layer: "water_pipes",
      filter: `material IN ('cast_iron', 'asbestos_cement', 'steel') AND installed < DATE('${yearsAgo(30)}')`,
      needs: [],
    },
    { title: t("example.bins"), layer: "waste_bins", filter: "fill > 0.8 AND near(places, 100)", needs: ["places"] },
    {
      title: t("example.roads"),
      layer: "road_links",
      filter: `related(flood_assets, id, asset_id, ${run}asset_layer = 'road_links')`,
      needs: ["flood_assets"],
    },
    {
      title: t("example.houses"),
      layer: "buildings",
      filter: `storeys = 1 AND related(flood_assets, id, asset_id, ${run}asset_layer = 'buildings')`,
      needs: ["flood_assets"],
    },
  ];
  const isThere = (layer: string): boolean => (findVectorLayer(layer)?.count ?? 0) > 0;
  return examples.filter(({ layer, needs }) => [layer, ...needs].every(isThere));
}
