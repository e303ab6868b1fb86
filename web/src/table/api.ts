/** What the table asks the server: pages of rows, counts, groups. */

import { localPath, request } from "../api";
import type { Item, Link } from "../types";
import { filterOf, orderOf, type View } from "./view";

export interface Page {
  features: Item[];
  links: Link[];
  numberMatched?: number;
}

/** A class or part of a histogram; an end is null where it is open. */
export interface Span {
  from: number | null;
  to: number | null;
}

/** What a group is called: a value, an area, a span; null for those without a value. */
export type GroupKey = string | number | boolean | Span | { id: string; name: string | null } | null;

export type Row = Record<string, GroupKey>;

export interface Aggregate {
  total: Record<string, number | string | null>;
  groups: Row[];
  truncated: boolean;
}

const part = encodeURIComponent;
export const itemsPath = (layer: string): string => `/api/collections/${part(layer)}/items`;

/** Return what chooses the rows of a view: filter, words, what is in sight, moment. */
export function selectionOf(view: View, box: string | null, only: string | null = null): Record<string, string> {
  const filter = [filterOf(view), only].filter(Boolean);
  return {
    ...(filter.length > 0 ? { filter: filter.length > 1 ? `(${filter.join(") AND (")})` : filter[0]! } : {}),
    ...(view.words ? { q: view.words } : {}),
    ...(view.inView && box ? { bbox: box } : {}),
    ...(view.at ? { datetime: view.at } : {}),
  };
}

/** Return what a file of a view is asked by. */
export function fileQuery(view: View, chosen: Record<string, string>, names: readonly string[]): URLSearchParams {
  const order = orderOf(view);
  const properties = names.filter((name) => name !== "id").join(",");
  return new URLSearchParams({
    ...chosen,
    ...(order ? { sortby: order } : {}),
    ...(properties ? { properties } : {}),
  });
}

/** Return the first page of what is asked, counted, without where it lies. */
export function readFirst(layer: string, query: URLSearchParams, limit: number, signal: AbortSignal): Promise<Page> {
  const all = new URLSearchParams(query);
  all.set("limit", String(limit));
  all.set("skipGeometry", "true");
  all.set("count", "true");
  return request(`${itemsPath(layer)}?${all}`, { signal });
}

/** Follow a link to the next page, with so many rows on it. */
export function readNext(href: string, limit: number, signal: AbortSignal): Promise<Page> {
  const [path = "", query = ""] = localPath(href).split("?");
  const all = new URLSearchParams(query);
  all.set("limit", String(limit));
  all.delete("count");
  return request(`${path}?${all}`, { signal });
}

/** Return measures of what is chosen, in groups. */
export function readAggregate(
  layer: string,
  chosen: Record<string, string>,
  group: readonly string[],
  measures: readonly string[],
  signal?: AbortSignal,
): Promise<Aggregate> {
  const query = new URLSearchParams({
    ...chosen,
    measure: measures.join(","),
    ...(group.length > 0 ? { group_by: group.join(",") } : {}),
  });
  return request(`/api/collections/${part(layer)}/aggregate?${query}`, signal ? { signal } : undefined);
}

const CHUNK = 100;

/** Return the items of some ids, with where they lie. */
export async function readShapes(layer: string, ids: readonly string[]): Promise<Item[]> {
  const chunks = Array.from({ length: Math.ceil(ids.length / CHUNK) }, (_, at) =>
    ids.slice(at * CHUNK, (at + 1) * CHUNK),
  );
  const pages = await Promise.all(
    chunks.map((chunk) => {
      const query = new URLSearchParams({ filter: inIds(chunk), limit: String(CHUNK) });
      return request<Page>(`${itemsPath(layer)}?${query}`);
    }),
  );
  return pages.flatMap(({ features }) => features);
}

/** Return the condition to be one of some items. */
export const inIds = (ids: readonly string[]): string =>
  `id IN (${ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(", ")})`;
