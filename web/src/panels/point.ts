/** The water at one point through the run that is shown. */

import { readPoint } from "../api";
import { drawChart } from "../chart";
import { findRasterLayer, run, shownRaster } from "../data";
import { h, replace } from "../dom";
import { formatNumber, formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { formatRasterValue } from "../raster-words";
import { getState, watch } from "../state";
import type { PointValues, RunRaster } from "../types";
import { failure, figure, loading, section } from "./parts";

const DRY_BELOW = 0.02;

/** Brings the card in step with the shown time; replaced with every new point. */
let followTime: (() => void) | null = null;

watch(["time"], () => followTime?.());

function valueAt(values: PointValues, time: string | null): number | null {
  const index = values.times && time ? values.times.indexOf(time) : -1;
  return index >= 0 ? (values.values[index] ?? null) : null;
}

async function fillSeries(holder: HTMLElement, values: PointValues): Promise<void> {
  const times = values.times ?? [];
  const wet = values.values.map((value) => value ?? 0);
  const largest = Math.max(0, ...wet);
  if (largest < DRY_BELOW) {
    replace(holder, h("p", { class: "soft" }, t("point.dry")));
    return;
  }
  const depth = (value: number | null): string =>
    value === null || value < DRY_BELOW ? t("point.dryValue") : `${formatNumber(value, 2)} ${values.symbol}`;
  const shown = figure("clock", t("point.now"), depth(valueAt(values, getState().time)));
  const peak = times[wet.indexOf(largest)];
  const chart = h("div", { class: "chart", "data-chart": "point" });
  const highest = figure("flood", `${t("point.max")} · ${formatShortDateTime(peak)}`, depth(largest));
  replace(holder, h("div", { class: "figures" }, shown, highest), chart);
  const { time } = getState();
  const setMark = await drawChart(chart, {
    times: times.map((moment) => Date.parse(moment) / 1000),
    series: [{ label: t("point.title"), color: "#2f86c1", values: wet, fill: true }],
    unit: values.symbol,
    height: 140,
    mark: time ? Date.parse(time) / 1000 : null,
    label: t("point.title"),
  });
  followTime = () => {
    const now = getState().time;
    const value = shown.querySelector(".figure-value");
    if (value) value.textContent = depth(valueAt(values, now));
    if (now) setMark(Date.parse(now) / 1000);
  };
}

async function fill(holder: HTMLElement, raster: RunRaster, lon: number, lat: number): Promise<void> {
  replace(holder, loading());
  try {
    const values = await readPoint(raster.id, lon, lat);
    if (values.times) {
      await fillSeries(holder, values);
      return;
    }
    const value = values.values[0];
    const layer = findRasterLayer(raster.layer);
    const words = layer && typeof value === "number" ? formatRasterValue(layer, value) : t("point.dry");
    replace(holder, figure("flood", say(layer?.title), words));
  } catch (error) {
    replace(
      holder,
      failure(error, () => void fill(holder, raster, lon, lat)),
    );
  }
}

/** Build the part of the card about the water at a place, or null where no run covers it. */
export function pointPart(place: { lon: number; lat: number }): HTMLElement | null {
  const raster = shownRaster();
  if (!run || !raster) return null;
  const [west, south, east, north] = raster.bounds;
  if (place.lon < west || place.lon > east || place.lat < south || place.lat > north) return null;
  followTime = null;
  const holder = h("div");
  void fill(holder, raster, place.lon, place.lat);
  return section(t("point.title"), holder);
}
