/** Where am I: the place under the pointer, of the last click, or in the middle of the map, in two systems. */

import type { IControl, LngLat, Map as MapView } from "maplibre-gl";
import { readPoint } from "../api";
import { findRasterLayer, getCity } from "../data";
import { h, replace } from "../dom";
import { formatFixed } from "../format";
import { explain, say, t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { failure, iconButton, loading } from "../panels/parts";
import { watch } from "../state";
import { type Writing, writePosition } from "./api";
import { copyButton, copyText } from "./copy";

const REST_MS = 350;
const TERRAIN = "terrain";

type From = "pointer" | "click" | "middle";

interface Spot {
  lon: number;
  lat: number;
  from: From;
}

const writeDegrees = ({ lon, lat }: Spot): string =>
  `${formatFixed(Math.abs(lat), 5)}° ${t(lat < 0 ? "where.south" : "where.north")}  ` +
  `${formatFixed(Math.abs(lon), 5)}° ${t(lon < 0 ? "where.west" : "where.east")}`;

/** Return the ground's height, or null where no terrain covers the place. */
async function readHeight({ lon, lat }: Spot): Promise<string | null> {
  const terrain = findRasterLayer(TERRAIN)?.raster_id;
  const [west, south, east, north] = getCity().bounds;
  if (!terrain || lon < west || lon > east || lat < south || lat > north) return null;
  const { values, symbol } = await readPoint(terrain, lon, lat);
  return typeof values[0] === "number" ? `${formatFixed(values[0], 2)} ${symbol}` : null;
}

async function readSpot(spot: Spot, signal?: AbortSignal): Promise<{ writings: Writing[]; height: string | null }> {
  const [writings, height] = await Promise.all([
    writePosition(spot.lon, spot.lat, signal),
    readHeight(spot).catch(() => null),
  ]);
  return { writings, height };
}

function writingRow(writing: Writing): HTMLElement {
  const label = t(`where.${writing.form}`);
  return h(
    "div",
    { class: "where-row" },
    h("dt", {}, label),
    h(
      "dd",
      {},
      h("span", {}, h("strong", {}, writing.text), h("span", { class: "soft" }, say(writing.how))),
      copyButton(t("where.copy", { what: label }), () => writing.text),
    ),
  );
}

/** Show a place in all its writings, each to copy. */
function openSpot(spot: Spot): void {
  const holder = h("div");
  const load = async (): Promise<void> => {
    replace(holder, loading(t("where.asking")));
    try {
      const { writings, height } = await readSpot(spot);
      const rows = writings.map(writingRow);
      const ground = height ? h("p", { class: "where-height" }, t("where.height", { height })) : null;
      replace(holder, h("dl", { class: "where-list" }, ...rows), ground);
    } catch (error) {
      replace(
        holder,
        failure(error, () => void load()),
      );
    }
  };
  void load();
  openDialog(t(`where.of_${spot.from}`), () => holder);
}

/** Make the read-out in the corner of the map. */
export function makeWhere(map: MapView): IControl {
  const degrees = h("span", { class: "where-degrees" });
  const metres = h("span", { class: "where-metres" });
  const height = h("span", { class: "where-ground" });
  const button = h("button", { type: "button", class: "where-button", onclick: () => openSpot(spot) });
  const opens = h("span", { class: "sr-only" });
  button.append(degrees, metres, height, opens);
  const copies = h("span", { class: "where-copies" });
  const element = h("div", { class: "maplibregl-ctrl where" }, button, copies);
  let clicked: LngLat | { lng: number; lat: number } | null = null;
  let spot: Spot = { lon: 0, lat: 0, from: "middle" };
  let timer = 0;
  let request: AbortController | null = null;
  let told: Writing[] = [];

  const readRest = async (): Promise<void> => {
    request = new AbortController();
    const { signal } = request;
    try {
      const answer = await readSpot(spot, signal);
      if (signal.aborted) return;
      told = answer.writings;
      const own = told.find(({ form }) => form === "metres");
      metres.textContent = own ? t("where.xy", splitMetres(own.text)) : "";
      height.textContent = answer.height ? t("where.short", { height: answer.height }) : "";
    } catch (error) {
      // The degrees are known without the server; the dialog says what went wrong.
      if (!signal.aborted) metres.title = explain(error);
    }
  };
  const show = (lng: number, lat: number, from: From): void => {
    spot = { lon: lng, lat, from };
    degrees.textContent = writeDegrees(spot);
    metres.textContent = "";
    height.textContent = "";
    told = [];
    button.title = t(`where.of_${from}`);
    request?.abort();
    clearTimeout(timer);
    timer = window.setTimeout(() => void readRest(), REST_MS);
  };
  const showLast = (): void => {
    const place = clicked ?? map.getCenter();
    show(place.lng, place.lat, clicked ? "click" : "middle");
  };
  const copyMetres = async (): Promise<void> => {
    const writings = told.length > 0 ? told : await writePosition(spot.lon, spot.lat);
    await copyText(writings.find(({ form }) => form === "metres")?.text ?? "");
  };
  const label = (): void => {
    opens.textContent = t("where.open");
    const words = h("span", { "aria-hidden": "true" }, "WGS 84");
    const other = h("span", { "aria-hidden": "true" }, "VN-2000");
    const first = iconButton(
      "copy",
      t("where.copy", { what: "WGS 84" }),
      () => void copyText(`${spot.lat.toFixed(6)}, ${spot.lon.toFixed(6)}`),
    );
    const second = iconButton("copy", t("where.copy", { what: "VN-2000" }), () => void copyMetres());
    first.append(words);
    second.append(other);
    replace(copies, first, second);
    showLast();
  };
  map.on("mousemove", ({ lngLat }) => show(lngLat.lng, lngLat.lat, "pointer"));
  map.on("mouseout", showLast);
  map.on("click", ({ lngLat }) => {
    clicked = lngLat;
    show(lngLat.lng, lngLat.lat, "click");
  });
  map.on("moveend", () => {
    if (spot.from === "middle") showLast();
  });
  // A place that was searched for is as good as a click.
  watch(["place"], ({ place }) => {
    if (!place) return;
    clicked = { lng: place.lon, lat: place.lat };
    show(place.lon, place.lat, "click");
  });
  watch(["lang"], label);
  label();
  return {
    onAdd: () => element,
    onRemove: () => element.remove(),
  };
}

function splitMetres(text: string): { x: string; y: string } {
  const [x = "", y = ""] = text.split(" ");
  return { x: formatFixed(Number(x), 1), y: formatFixed(Number(y), 1) };
}
