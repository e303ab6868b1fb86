/** A hit of the search: its words, and what choosing it does. */

import { h } from "../dom";
import { getState, setState, toggleLayer } from "../state";
import type { Hit } from "../types";

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

/** Choose the feature of a hit, and show its layer if it is not drawn yet. */
export function chooseHit(hit: Hit): void {
  if (!getState().layers.has(hit.collection)) toggleLayer(hit.collection, true);
  setState({ place: null, selection: { layer: hit.collection, id: hit.id } });
}
