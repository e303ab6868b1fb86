/** How many items of a layer meet a condition; asked once for each condition. */

import { request } from "../api";

const MOST_KEPT = 50;
const asked = new Map<string, Promise<number>>();

/** Return the number of items that meet a condition in CQL2. Throws {@link ApiError} where it cannot be read. */
export function countItems(layer: string, filter: string): Promise<number> {
  const query = new URLSearchParams({ filter });
  const path = `/api/collections/${encodeURIComponent(layer)}/aggregate?${query}`;
  const known = asked.get(path);
  if (known) return known;
  const count = request<{ total: { count: number } }>(path).then(({ total }) => total.count);
  asked.set(path, count);
  // What failed is asked again, and the oldest answers give way.
  count.catch(() => asked.delete(path));
  if (asked.size > MOST_KEPT) asked.delete(asked.keys().next().value as string);
  return count;
}
