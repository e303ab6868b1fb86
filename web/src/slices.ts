/** Pieces of state that panels keep in the share link; what a panel that is not loaded yet will read is kept as it came. */

const texts = new Map<string, string>();
const made = new Set<string>();
const readers: (() => void)[] = [];
const writers: (() => void)[] = [];

/** A value that lives in the link. */
export interface Slice<T> {
  get: () => T;
  set: (value: T) => void;
  watch: (listener: (value: T) => void) => void;
}

/** Keys of the link that the viewer itself reads. */
const OWN: ReadonlySet<string> = new Set(
  (
    "map layers run product time 3d tab plan desk job duty tool use network-run dark lit profile item lang scheme " +
    "net near from to barriers pass closed-too stuck closed " +
    "ways minutes size depart by origin mode water water-time"
  ).split(" "),
);

/** Make the piece of state that the link holds under `key`; `write` returns null for what need not be told. */
export function makeSlice<T>(
  key: string,
  read: (text: string | null) => T,
  write: (value: T) => string | null,
): Slice<T> {
  if (made.has(key) || OWN.has(key)) throw new Error(`two pieces of state share the key "${key}" of the link`);
  made.add(key);
  let value = read(texts.get(key) ?? null);
  const listeners: ((value: T) => void)[] = [];
  readers.push(() => {
    value = read(texts.get(key) ?? null);
  });
  return {
    get: () => value,
    set: (next) => {
      value = next;
      const text = write(next);
      if (text === null) texts.delete(key);
      else texts.set(key, text);
      for (const listener of listeners) listener(next);
      for (const writer of writers) writer();
    },
    watch: (listener) => listeners.push(listener),
  };
}

/** Take from a link what does not belong to the viewer itself; pieces made before the link was read take theirs now. */
export function restoreSlices(hash: URLSearchParams): void {
  for (const [key, text] of hash) if (!OWN.has(key)) texts.set(key, text);
  for (const reader of readers) reader();
}

export const keptSlices = (): ReadonlyMap<string, string> => texts;

/** Be told when a piece changes. */
export const onSlices = (writer: () => void): number => writers.push(writer);
