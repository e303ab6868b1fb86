/** The values of a raster in words: legends, and what is read at a point. */

import { findVectorLayer } from "./data";
import { formatNumber } from "./format";
import { say, t } from "./i18n";
import type { LegendEntry, RasterLayer } from "./types";

const PROBABILITY = "flood_probability";
const CHANGE = "flood_depth_change";
const HAZARD = "flood_hazard_class";

function hazardTitle(value: number): string {
  const codes = findVectorLayer("flood_assets")?.properties.find((entry) => entry.name === "hazard_class")?.codes;
  const code = codes?.find((entry) => entry.value === `H${value}`);
  return code ? say(code.title) : `H${value}`;
}

function formatSpan(seconds: number): string {
  if (seconds > 0 && seconds < 3600) return `${formatNumber(seconds / 60, 0)} ${t("scale.minutes")}`;
  return `${formatNumber(seconds / 3600, 1)} ${t("scale.hours")}`;
}

/** Write a value of a raster as people read it: hours, per cent, a class by its name, a change with its sign. */
export function formatRasterValue(layer: RasterLayer, value: number, digits = 2): string {
  if (layer.id.startsWith(PROBABILITY)) return `${formatNumber(value * 100, 0)} %`;
  if (layer.id === HAZARD) return value >= 1 ? hazardTitle(value) : t("point.dryValue");
  if (layer.symbol === "s") return formatSpan(value);
  const sign = layer.id === CHANGE && value > 0 ? "+" : "";
  return `${sign}${formatNumber(value, digits)} ${layer.symbol === "–" ? "" : layer.symbol}`.trim();
}

/** Return the entries worth showing: none that is clear, and of equal colours in a row only the one inside the ramp. */
export function usefulEntries(layer: RasterLayer): LegendEntry[] {
  const clear = (color: string): boolean => color.length === 9 && color.endsWith("00");
  const shown = layer.legend.filter((entry) => !clear(entry.color));
  return shown.filter((entry, place) => entry.color !== shown[place + 1]?.color);
}

/** Whether the legend's words are whole sentences, which need a line each. */
export const isWordy = (layer: RasterLayer): boolean => layer.id === HAZARD;
