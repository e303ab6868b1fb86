/** Places of a journey: a list, a click on the map that adds one, a field that takes names and coordinates. */

import type { Map as MapView } from "maplibre-gl";
import { searchFeatures } from "../api";
import { type Child, h, replace } from "../dom";
import { t } from "../i18n";
import { aim, stopAiming } from "../map/aim";
import { isPlace, splitPlace } from "../networks/places";
import { iconButton, textButton } from "../panels/parts";
import { makeTypedPlace } from "../panels/typed-place";

export interface Points {
  get: () => readonly string[];
  set: (points: string[]) => void;
  /** Where one more goes. */
  add: (points: readonly string[], word: string) => string[];
  /** How the place at an index is called, and what is asked for next. */
  label: (index: number, count: number) => string;
  invite: (count: number) => string;
  most: number;
}

/** What people typed, by the place it was taken for. */
const names = new Map<string, string>();

const toWord = (lon: number, lat: number): string => `${lon.toFixed(6)},${lat.toFixed(6)}`;

/** Return the word `lon,lat` of what somebody typed: coordinates as they are, else what the city calls so. */
async function readTyped(text: string): Promise<string | undefined> {
  const word = text.replace(/\s*[,;]\s*/, ",");
  if (isPlace(word)) return word;
  const [hit] = await searchFeatures(text, 1, new AbortController().signal);
  if (!hit) return undefined;
  const [west, south, east, north] = hit.bbox;
  const found = toWord((west + east) / 2, (south + north) / 2);
  names.set(found, hit.title);
  return found;
}

/** Say where a place is: by the name that was typed, else by its coordinates. */
export function namePoint(word: string): string {
  const [lon, lat] = splitPlace(word);
  return names.get(word) ?? `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}

/** Make the list. */
export function makePoints(
  map: MapView,
  points: Points,
): { element: HTMLElement; update: () => void; start: () => void; stop: () => void } {
  const list = h("ol", { class: "chips points" });
  const words = h("span");
  const button = textButton("", () => (isWaiting ? stopAiming(map) : start()), "button-small aim-button", "target");
  button.replaceChildren(button.firstChild!, words);
  let isWaiting = false;

  const add = (word: string): void => points.set(points.add(points.get(), word));
  const { box, note } = makeTypedPlace(map, readTyped, add);
  const start = (): void => {
    if (points.get().length >= points.most) return;
    aim(
      map,
      ({ lngLat }) => add(toWord(lngLat.lng, lngLat.lat)),
      () => {
        isWaiting = false;
        update();
      },
    );
    isWaiting = true;
    update();
  };
  const row = (word: string, index: number): HTMLElement => {
    const label = points.label(index, points.get().length);
    const remove = (): void => points.set(points.get().filter((_, other) => other !== index));
    const parts: Child[] = [h("span", { class: "soft" }, label), " ", h("strong", {}, namePoint(word))];
    return h(
      "li",
      { class: "chip" },
      h("span", {}, ...parts),
      iconButton("close", t("network.removePlace", { place: label }), remove, "icon-button-quiet chip-remove"),
    );
  };
  const update = (): void => {
    const chosen = points.get();
    replace(list, ...chosen.map(row));
    list.hidden = chosen.length === 0;
    const invitation = points.invite(chosen.length);
    words.textContent = isWaiting ? t("traffic.aiming") : invitation;
    button.setAttribute("aria-pressed", String(isWaiting));
    button.disabled = chosen.length >= points.most;
    box.placeholder = t("traffic.typePlace");
    box.setAttribute("aria-label", `${invitation}: ${t("traffic.typePlace")}`);
  };
  const ways = h("div", { class: "place-ways" }, button, h("div", { class: "place-typing" }, box, note));
  const stop = (): void => {
    if (isWaiting) stopAiming(map);
  };
  return { element: h("div", { class: "field" }, list, ways), update, start, stop };
}
