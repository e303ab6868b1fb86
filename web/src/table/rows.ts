/** Rows of a view, read from the server as far as somebody scrolls: forward along its links, in ever larger pages. */

import type { Item } from "../types";
import { type Page, readFirst, readNext } from "./api";
import type { View } from "./view";

const FIRST = 100;
const STEP = 500;
/** Who jumps far ahead waits for few large pages instead of many small ones. */
const LEAP = 5000;

export interface Rows {
  list: readonly Item[];
  /** How many there are in all, null until it is known. */
  total: number | null;
  isLoading: boolean;
  problem: unknown;
  /** Read on until so many rows are there. */
  ensure: (count: number) => void;
  indexOf: (id: string) => number;
  retry: () => void;
  stop: () => void;
}

/** Read the rows that `query` chooses; `changed` is told of every page, of waiting and of failures. */
export function readRows(view: View, query: URLSearchParams, changed: () => void): Rows {
  const list: Item[] = [];
  const places = new Map<string, number>();
  const control = new AbortController();
  let next: string | undefined;
  let wanted = 1;

  const take = (page: Page): void => {
    for (const item of page.features) {
      places.set(item.id, list.length);
      list.push(item);
    }
    next = page.links.find((link) => link.rel === "next")?.href;
    if (page.numberMatched !== undefined) rows.total = page.numberMatched;
    // The layer may have grown or shrunk since it was counted.
    if (!next) rows.total = list.length;
  };
  const read = async (): Promise<void> => {
    if (rows.isLoading || control.signal.aborted) return;
    rows.isLoading = true;
    rows.problem = null;
    changed();
    try {
      if (list.length === 0) take(await readFirst(view.layer, query, FIRST, control.signal));
      while (next && list.length < wanted) {
        changed();
        const size = wanted - list.length > STEP ? LEAP : STEP;
        take(await readNext(next, size, control.signal));
      }
    } catch (error) {
      if (control.signal.aborted) return;
      rows.problem = error;
    }
    rows.isLoading = false;
    changed();
  };
  const rows: Rows = {
    list,
    total: null,
    isLoading: false,
    problem: null,
    ensure: (count) => {
      wanted = Math.max(wanted, count);
      if (!rows.problem && (list.length === 0 || (next && list.length < wanted))) void read();
    },
    indexOf: (id) => places.get(id) ?? -1,
    retry: () => void read(),
    stop: () => control.abort(),
  };
  return rows;
}
