/** A feature named in a table: a click brings it on the screen. */

import { readItem } from "../api";
import { h, replace } from "../dom";
import type { ZoomToItem } from "../types";
import { failure } from "./parts";

/** A button that brings an item on the screen once it is read. */
export function itemButton(
  layer: string,
  id: string,
  zoomToItem: ZoomToItem,
  problem: HTMLElement,
  name = id,
): HTMLElement {
  const go = async (): Promise<void> => {
    try {
      const item = await readItem(layer, id);
      replace(problem);
      zoomToItem(layer, id, item.geometry);
    } catch (error) {
      replace(problem, failure(error));
    }
  };
  return h("button", { type: "button", class: "link-button", onclick: () => void go() }, name);
}
