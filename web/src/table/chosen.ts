/** The rows that are ticked, by layer: what only this page knows, not the link. */

type Listener = () => void;

const MOST = 1000;
const ticked = new Map<string, Set<string>>();
const listeners: Listener[] = [];

export const onChosen = (listener: Listener): number => listeners.push(listener);

export const chosenOf = (layer: string): ReadonlySet<string> => ticked.get(layer) ?? new Set();

/** Tick these rows and no others; more than a thousand are too many to handle one by one. */
export function choose(layer: string, ids: Iterable<string>): void {
  ticked.set(layer, new Set([...ids].slice(0, MOST)));
  for (const listener of listeners) listener();
}

export function toggleChosen(layer: string, id: string): void {
  const next = new Set(chosenOf(layer));
  if (!next.delete(id)) next.add(id);
  choose(layer, next);
}
