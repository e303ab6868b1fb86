/** What typed words mean: coordinates, layers, things of the city, addresses. */

import type { Map as MapView } from "maplibre-gl";
import { ApiError, searchFeatures } from "../api";
import { getCatalog, isEmpty, isPerRun } from "../data";
import { fold, h } from "../dom";
import { explain, say, t } from "../i18n";
import type { IconName } from "../icons";
import { themeIcon } from "../icons";
import { highlight, zoomToBounds } from "../map/pick";
import { chooseHit, markedWords } from "../panels/find";
import { getState, setState, toggleLayer } from "../state";
import type { Hit, Layer, Theme } from "../types";
import { type Address, findAddresses, type Reading, readCoordinates } from "./api";

const MOST = { layers: 4, hits: 8, addresses: 4 };
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

function rankLayer(layer: Layer, asked: string[]): number {
  const title = fold(`${layer.title.vi} ${layer.title.en} ${layer.id}`);
  const all = `${title} ${fold(`${layer.description.vi} ${layer.description.en}`)}`;
  if (!asked.every((word) => all.includes(word))) return 0;
  return asked.every((word) => title.includes(word)) ? 2 : 1;
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

/** Ask the server what `text` means; a question that fails alone takes the others with it. */
export async function findInCity(map: MapView, text: string, signal: AbortSignal): Promise<Finding[]> {
  const [coordinates, hits, addresses] = await Promise.all([
    findCoordinates(map, text, signal),
    searchFeatures(text, MOST.hits, signal),
    findAddresses(text, MOST.addresses, signal),
  ]);
  const known = new Set(hits.map((hit) => `${hit.collection}/${hit.id}`));
  return [
    ...coordinates,
    ...hits.map((hit) => hitFinding(map, hit)),
    ...addresses
      .filter((place) => !known.has(`${place.collection}/${place.id}`))
      .map((place) => addressFinding(map, place)),
  ];
}
