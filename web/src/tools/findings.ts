/** What typed words mean: coordinates, layers, things of the city, addresses. */

import type { Map as MapView } from "maplibre-gl";
import { ApiError, readItems, searchFeatures } from "../api";
import { findVectorLayer, getCatalog, isEmpty, isPerRun } from "../data";
import { fold, h } from "../dom";
import { explain, say, t } from "../i18n";
import type { IconName } from "../icons";
import { themeIcon } from "../icons";
import { highlight, zoomTo, zoomToBounds } from "../map/pick";
import { chooseHit, markedWords } from "../panels/find";
import { getState, setState, toggleLayer } from "../state";
import type { Hit, Layer, Theme } from "../types";
import { type Address, findAddresses, type Reading, readCoordinates } from "./api";

const MOST = { layers: 4, parcels: 5, hits: 8, addresses: 4 };
/** Shorter words say too little of a description. */
const TELLING = 4;
const NEAR_ZOOM = 16.5;
/** Two numbers at least, and hardly a word beside them. */
const LIKE_COORDINATES = /\d.*[\s,;°].*\d/;

export type Group = "coordinates" | "layers" | "city" | "addresses";

/** One line of the list: what it says and what choosing it does. */
export interface Finding {
  group: Group;
  icon: IconName;
  title: Node | string;
  hint: string;
  run: () => void;
}

/** Go to a place and mark it. */
export function goToPlace(map: MapView, lon: number, lat: number): void {
  setState({ place: { lon, lat }, selection: null });
  highlight(map, { type: "Point", coordinates: [lon, lat] });
  map.easeTo({ center: [lon, lat], zoom: Math.max(map.getZoom(), NEAR_ZOOM) });
}

function isOn(layer: Layer): boolean {
  return isPerRun(layer) ? getState().product === layer.id : getState().layers.has(layer.id);
}

function switchLayer(layer: Layer): void {
  const on = !isOn(layer);
  if (isPerRun(layer)) setState({ product: on ? layer.id : "none" });
  else toggleLayer(layer.id, on);
}

/** Words begin words of the title, longer ones also of the description. */
function rankLayer(layer: Layer, asked: string[]): number {
  const begins = (text: string, word: string): boolean => ` ${text}`.includes(` ${word}`);
  const title = fold(`${layer.title.vi} ${layer.title.en} ${layer.id}`);
  if (asked.every((word) => begins(title, word))) return 2;
  const all = `${title} ${fold(`${layer.description.vi} ${layer.description.en}`)}`;
  return asked.every((word) => word.length >= TELLING && begins(all, word)) ? 1 : 0;
}

/** Return the layers that words name, without asking the server. */
export function findLayers(text: string): Finding[] {
  const asked = fold(text).split(/\s+/).filter(Boolean);
  if (asked.length === 0) return [];
  const known: [Layer, Theme][] = getCatalog().themes.flatMap((theme) =>
    theme.layers.filter((layer) => !isEmpty(layer)).map((layer): [Layer, Theme] => [layer, theme]),
  );
  return known
    .map(([layer, theme]) => ({ layer, theme, rank: rankLayer(layer, asked) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => b.rank - a.rank)
    .slice(0, MOST.layers)
    .map(({ layer, theme }) => ({
      group: "layers",
      icon: themeIcon(theme.id),
      title: t(isOn(layer) ? "seek.hideLayer" : "seek.showLayer", { layer: say(layer.title) }),
      hint: say(theme.title),
      run: () => switchLayer(layer),
    }));
}

function coordinateFinding(map: MapView, reading: Reading): Finding {
  const [lon, lat] = reading.position;
  return {
    group: "coordinates",
    icon: "target",
    title: say(reading.how),
    hint: t(reading.in_city ? "seek.inCity" : "seek.outside"),
    run: () => goToPlace(map, lon, lat),
  };
}

async function findCoordinates(map: MapView, text: string, signal: AbortSignal): Promise<Finding[]> {
  if (!LIKE_COORDINATES.test(text)) return [];
  try {
    return (await readCoordinates(text, signal)).map((reading) => coordinateFinding(map, reading));
  } catch (error) {
    // A zone that does not exist is told where the coordinates would stand.
    if (!(error instanceof ApiError) || error.status !== 400) throw error;
    return [{ group: "coordinates", icon: "warning", title: explain(error), hint: "", run: () => undefined }];
  }
}

function hitFinding(map: MapView, hit: Hit): Finding {
  const several = hit.count > 1 ? ` · ${t("find.count", { count: hit.count })}` : "";
  return {
    group: "city",
    icon: themeIcon(hit.theme),
    title: markedWords(hit),
    hint: `${say(hit.collection_title, hit.collection)} · ${hit.id}${several}`,
    run: () => {
      zoomToBounds(map, hit.bbox);
      chooseHit(hit);
    },
  };
}

function addressFinding(map: MapView, place: Address): Finding {
  const [lon, lat] = place.position;
  const exact = place.match === "address";
  return {
    group: "addresses",
    icon: "pin",
    title: h("span", {}, place.title),
    hint: t(`seek.match_${place.match}` as "seek.match_address"),
    run: () => {
      goToPlace(map, lon, lat);
      if (exact) setState({ selection: { layer: place.collection, id: place.id } });
    },
  };
}

const SHEET_FIRST = /(?:to|sheet)\b\D{0,16}(\d{1,5})\D{1,6}(?:thua|parcel|plot)\b\D{0,12}(\d{1,6})\b/;
const PARCEL_FIRST = /(?:thua|parcel|plot)\b\D{0,12}(\d{1,6})\D{1,6}(?:to|sheet)\b\D{0,16}(\d{1,5})\b/;

/** Return parcels by the number of their map sheet and their own, in either order. */
async function findParcels(map: MapView, text: string): Promise<Finding[]> {
  const layer = findVectorLayer("parcels");
  const folded = fold(text);
  const sheetFirst = SHEET_FIRST.exec(folded);
  const [, number, sheet] = PARCEL_FIRST.exec(folded) ?? [null, sheetFirst?.[2], sheetFirst?.[1]];
  if (!layer || !number || !sheet) return [];
  const filter = `map_sheet = '${sheet}' and parcel_number = '${number}'`;
  const { features } = await readItems(layer.id, { filter, limit: String(MOST.parcels) });
  return features.map((item) => ({
    group: "city",
    icon: themeIcon("land"),
    title: t("seek.parcel", { sheet, number }),
    hint: `${say(layer.title)} · ${item.id}`,
    run: () => {
      if (item.geometry) zoomTo(map, item.geometry);
      if (!getState().layers.has(layer.id)) toggleLayer(layer.id, true);
      setState({ place: null, selection: { layer: layer.id, id: item.id } });
    },
  }));
}

/** Ask the server what `text` means; a question that fails alone takes the others with it. */
export async function findInCity(map: MapView, text: string, signal: AbortSignal): Promise<Finding[]> {
  const [coordinates, parcels, hits, addresses] = await Promise.all([
    findCoordinates(map, text, signal),
    findParcels(map, text),
    searchFeatures(text, MOST.hits, signal),
    findAddresses(text, MOST.addresses, signal),
  ]);
  const known = new Set(hits.map((hit) => `${hit.collection}/${hit.id}`));
  return [
    ...coordinates,
    ...parcels,
    ...hits.map((hit) => hitFinding(map, hit)),
    ...addresses
      .filter((place) => !known.has(`${place.collection}/${place.id}`))
      .map((place) => addressFinding(map, place)),
  ];
}
