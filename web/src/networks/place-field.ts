/** The places of a question: a list, a click on the map that adds one, a field for who knows its id. */

import type { Map as MapView } from "maplibre-gl";
import { searchFeatures } from "../api";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { aim, readAim, stopAiming } from "../map/aim";
import { iconButton, textButton } from "../panels/parts";
import { makeTypedPlace } from "../panels/typed-place";
import { getState } from "../state";
import { answer, changeQuestion } from "./asking";
import { layersOf, NETWORKS, needsEnd, needsStart } from "./commodities";
import { isPlace } from "./places";
import { TOLERANCE } from "./question";
import { splitItem } from "./words";

type Side = "starts" | "ends";

const MOST_HITS = 50;

/** Return how a place is called: the item it was taken for, once the server has answered. */
function namePlace(word: string): { name: string; layer: string | null } {
  const figures = answer?.figures;
  const ends = figures && "ends" in figures ? figures.ends : [];
  const told = [...(figures?.starts ?? []), ...ends].find((one) => one.asked === word);
  const item = told?.item ?? (isPlace(word) ? null : word);
  if (!item) return { name: word.replace(",", ", "), layer: null };
  const { layer, id } = splitItem(item);
  return { name: id, layer: say(findVectorLayer(layer)?.title, layer) };
}

/** Of a way between two places there is one start; others may begin at several. */
const isSingle = (): boolean => needsEnd(getState().question.kind);

function addPlace(side: Side, word: string, tolerance: number): void {
  const before = side === "ends" || isSingle() ? [] : getState().question[side];
  changeQuestion({ [side]: [...before.filter((one) => one !== word), word], tolerance });
}

function placeRow(side: Side, word: string): HTMLElement {
  const { name, layer } = namePlace(word);
  const remove = (): void => changeQuestion({ [side]: getState().question[side].filter((one) => one !== word) });
  return h(
    "li",
    { class: "chip" },
    h("span", {}, h("strong", {}, name), layer ? h("span", { class: "soft" }, ` ${layer}`) : null),
    iconButton("close", t("network.removePlace", { place: name }), remove, "icon-button-quiet chip-remove"),
  );
}

/** Return the word of what somebody typed: a place or item as it is, else what the city calls so in this network. */
async function readTyped(text: string): Promise<string | undefined> {
  const word = text.replace(/\s*,\s*/, ",");
  if (isPlace(word) || word.includes("/")) return word;
  const layers = layersOf(getState().question.commodity);
  const hits = await searchFeatures(text, MOST_HITS, new AbortController().signal);
  const hit = hits.find(({ collection }) => layers.includes(collection));
  return hit ? `${hit.collection}/${hit.id}` : undefined;
}

/** A field that takes an id, a name or a place; what is not found is said under it. */
function makeTyping(map: MapView, side: Side): { element: HTMLElement; label: (words: string) => void } {
  const add = (word: string): void => addPlace(side, word, TOLERANCE);
  const { box, note } = makeTypedPlace(map, readTyped, add, `network-${side}`);
  const label = (words: string): void => {
    box.placeholder = t("network.typeId");
    box.setAttribute("aria-label", `${words}: ${t("network.typeId")}`);
  };
  return { element: h("div", { class: "place-typing" }, box, note), label };
}

/** One list of places, with the button that waits for a click on the map. */
export function makePlaces(map: MapView, side: Side): { element: HTMLElement; update: () => void; start: () => void } {
  const list = h("div", { class: "field" });
  const button = textButton("", () => (isWaiting ? stopAiming(map) : start()), "", "target");
  const words = h("span");
  button.replaceChildren(button.firstChild!, words);
  const typing = makeTyping(map, side);
  const element = h("div", { class: "field" }, list, h("div", { class: "place-ways" }, button, typing.element));
  let isWaiting = false;

  const start = (): void => {
    const { commodity } = getState().question;
    aim(
      map,
      (event) => {
        const { word, tolerance } = readAim(map, event, NETWORKS[commodity].points);
        addPlace(side, word, tolerance);
      },
      () => {
        isWaiting = false;
        update();
      },
    );
    // Whoever waited before has been told by now, which may have been this side.
    isWaiting = true;
    update();
  };
  const update = (): void => {
    const { kind, [side]: chosen } = getState().question;
    element.hidden = side === "ends" && !needsEnd(kind);
    const label = side === "ends" ? t("network.end") : t(kind === "isolation" ? "network.break" : "network.start");
    const another = chosen.length > 0 && side === "starts" && !isSingle();
    words.textContent = t(isWaiting ? "network.aiming" : another ? "network.aimAnother" : "network.aim");
    button.className = `button button-small aim-button ${chosen.length === 0 ? "button-primary" : ""}`;
    button.setAttribute("aria-pressed", String(isWaiting));
    typing.label(label);
    replace(
      list,
      h("span", { class: "field-label" }, label),
      chosen.length > 0
        ? h("ul", { class: "chips", "aria-label": label }, ...chosen.map((word) => placeRow(side, word)))
        : null,
      !needsStart(kind) && chosen.length === 0 ? h("p", { class: "soft" }, t("network.whole")) : null,
    );
  };
  return { element, update, start };
}
