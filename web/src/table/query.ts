/** The query in the share link, and the queries that the server keeps. */

import { request } from "../api";
import { makeSlice } from "../slices";
import type { Words } from "../types";
import { write } from "../writing";

/** How what was found is drawn: marked, alone, or not at all. */
export type Draw = "mark" | "alone" | "none";

export interface Query {
  layer: string;
  /** CQL2 text; "" finds everything. */
  filter: string;
  /** Moment of the history, null for the present. */
  at: string | null;
  draw: Draw;
  /** The kept query that this one came from. */
  saved: string | null;
}

const LONGEST = 20_000;
const FIRST: Query = { layer: "", filter: "", at: null, draw: "mark", saved: null };

function readQuery(text: string | null): Query {
  if (!text || text.length > LONGEST) return FIRST;
  try {
    const given = JSON.parse(text) as Partial<Record<keyof Query, unknown>>;
    const words = (value: unknown): string => (typeof value === "string" ? value : "");
    const draw = (["mark", "alone", "none"] as const).find((one) => one === given.draw) ?? "mark";
    return {
      layer: words(given.layer),
      filter: words(given.filter),
      at: words(given.at) || null,
      draw,
      saved: words(given.saved) || null,
    };
  } catch {
    return FIRST;
  }
}

/** What is asked; without a layer but with a kept query, that is still to be read. */
export const query = makeSlice<Query>("query", readQuery, ({ layer, filter, at, draw, saved }) =>
  layer || saved
    ? JSON.stringify({
        ...(layer ? { layer } : {}),
        ...(filter ? { filter } : {}),
        ...(at ? { at } : {}),
        ...(draw === "mark" ? {} : { draw }),
        ...(saved ? { saved } : {}),
      })
    : null,
);

export const changeQuery = (change: Partial<Query>): void => query.set({ ...query.get(), ...change });

/** A query that the server keeps. */
export interface SavedQuery {
  id: string;
  title: Words;
  collection: string;
  filter: string | null;
  author: string;
  changed: string;
}

const PATH = "/api/queries";
const pathOf = (id: string): string => `${PATH}/${encodeURIComponent(id)}`;

export const listQueries = async (): Promise<SavedQuery[]> => (await request<{ queries: SavedQuery[] }>(PATH)).queries;

export const readSaved = (id: string): Promise<SavedQuery> => request(pathOf(id));

interface Body {
  title: Words;
  collection: string;
  filter?: string;
}

const bodyOf = (title: Words, layer: string, filter: string): Body => ({
  title,
  collection: layer,
  ...(filter ? { filter } : {}),
});

export const createQuery = (id: string, title: Words, layer: string, filter: string): Promise<SavedQuery> =>
  write("POST", PATH, { id, ...bodyOf(title, layer, filter) });

export const putQuery = (id: string, title: Words, layer: string, filter: string): Promise<SavedQuery> =>
  write("PUT", pathOf(id), bodyOf(title, layer, filter));

export const deleteQuery = (id: string): Promise<void> => write("DELETE", pathOf(id), null);

/** Return the names of the functions that filters may call. */
export const readFunctions = async (): Promise<ReadonlySet<string>> => {
  const { functions } = await request<{ functions: { name: string }[] }>("/api/functions");
  return new Set(functions.map(({ name }) => name));
};
