/** What the words of the search field find in the city itself: names, addresses, codes, ids. */

import { searchFeatures } from "../api";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { getState, setState, toggleLayer, watch } from "../state";
import type { Hit } from "../types";
import { empty, failure } from "./parts";

const WAIT_MS = 220;
const SHORTEST = 2;
const MOST = 8;

export type ShowHit = (hit: Hit) => void;

/** Write a hit's words with what was asked for set off. */
export function markedWords(hit: Hit): HTMLElement {
  const words = h("span", { class: "hit-title" });
  let at = 0;
  for (const [begin, end] of hit.marks) {
    words.append(hit.title.slice(at, begin), h("mark", {}, hit.title.slice(begin, end)));
    at = end;
  }
  words.append(hit.title.slice(at));
  return words;
}

function hitRow(hit: Hit, show: ShowHit): HTMLElement {
  const several = hit.count > 1 ? ` · ${t("find.count", { count: hit.count })}` : "";
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: "hit", onclick: () => show(hit) },
      markedWords(hit),
      h("span", { class: "hit-layer" }, `${say(hit.collection_title, hit.collection)}${several}`),
    ),
  );
}

/** A list that follows `ask`: it asks the server once the typing rests and forgets answers that come too late. */
export function makeFinder(show: ShowHit): { element: HTMLElement; ask: (words: string) => void; first: () => void } {
  const element = h("section", { class: "found", hidden: true, "aria-live": "polite" });
  let timer = 0;
  let request: AbortController | null = null;
  let asked = "";
  let hits: Hit[] = [];

  const draw = (...body: (Node | null)[]): void => {
    element.hidden = asked.length < SHORTEST;
    replace(element, h("h3", { class: "found-heading" }, t("find.title")), ...body);
  };
  const drawHits = (): void =>
    hits.length === 0
      ? draw(empty(t("find.none", { text: asked })))
      : draw(h("ul", { class: "hits" }, ...hits.map((hit) => hitRow(hit, show))));

  const load = async (): Promise<void> => {
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    try {
      hits = await searchFeatures(asked, MOST, signal);
      if (!signal.aborted) drawHits();
    } catch (error) {
      if (!signal.aborted) draw(failure(error, () => void load()));
    }
  };
  const ask = (words: string): void => {
    asked = words;
    clearTimeout(timer);
    request?.abort();
    if (words.length < SHORTEST) {
      hits = [];
      element.hidden = true;
      return;
    }
    timer = window.setTimeout(() => void load(), WAIT_MS);
  };
  watch(["lang"], () => {
    if (!element.hidden) drawHits();
  });
  const first = (): void => {
    if (hits[0]) show(hits[0]);
  };
  return { element, ask, first };
}

/** Choose the feature of a hit, and show its layer if it is not drawn yet. */
export function chooseHit(hit: Hit): void {
  if (!getState().layers.has(hit.collection)) toggleLayer(hit.collection, true);
  setState({ place: null, selection: { layer: hit.collection, id: hit.id } });
}
