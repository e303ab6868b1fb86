/** What panels hang into the card of a feature. */

import type { Selection } from "../state";
import type { Item } from "../types";

/** Builds a piece of the card, or null where it has nothing to say of the item. */
export type CardPart = (item: Item, selection: Selection) => HTMLElement | null;

const parts: CardPart[] = [];

export const addCardPart = (part: CardPart): number => parts.push(part);

export const buildCardParts = (item: Item, selection: Selection): (HTMLElement | null)[] =>
  parts.map((part) => part(item, selection));
