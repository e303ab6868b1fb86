/** How other panels come here: edit an item, make a new one, change many, open a work order. */

import { makeSlice } from "../slices";
import { type Job, setState } from "../state";

/** What is edited; without an id a new item of the layer. */
export interface Edited {
  layer: string;
  id: string | null;
}

function readEdited(text: string | null): Edited | null {
  const [layer, ...rest] = (text ?? "").split("/");
  return layer ? { layer, id: rest.join("/") || null } : null;
}

export const edited = makeSlice<Edited | null>("edit", readEdited, (value) =>
  value ? `${value.layer}${value.id ? `/${value.id}` : ""}` : null,
);

/** The number of the work order that is shown, or "new". */
export const shownOrder = makeSlice<string | null>(
  "work",
  (text) => (text && /^(new|\d{1,18})$/.test(text) ? text : null),
  (value) => value,
);

/** Which items a bulk change is about: a layer and a filter in CQL2 text. */
export interface Chosen {
  layer: string;
  filter: string;
}

function readChosen(text: string | null): Chosen | null {
  const at = (text ?? "").indexOf(":");
  return at > 0 ? { layer: text!.slice(0, at), filter: text!.slice(at + 1) } : null;
}

export const chosen = makeSlice<Chosen | null>("bulk", readChosen, (value) =>
  value ? `${value.layer}:${value.filter}` : null,
);

/** What a new work order begins with. */
export interface OrderSeed {
  items?: { collection: string; feature: string }[];
  title?: string;
  description?: string;
  origin?: "inspection" | "alarm" | "report" | "plan";
  priority?: "low" | "normal" | "high" | "urgent";
  position?: { lon: number; lat: number };
}

let seed: OrderSeed = {};

/** Return what the next new work order begins with. */
export const orderSeed = (): OrderSeed => seed;

const show = (job: Job): void => setState({ tab: "inventory", job, panelOpen: true });

/** Edit an item of a layer. */
export function openEditor(layer: string, id: string): void {
  edited.set({ layer, id });
  show("edits");
}

/** Make a new item of a layer. */
export function openNewItem(layer: string): void {
  edited.set({ layer, id: null });
  show("edits");
}

/** Return the filter that these items pass. */
export const idsIn = (ids: readonly string[]): string =>
  `id in (${ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(", ")})`;

/** Change many items of a layer: those that pass a filter, or those with the ids. */
export function openBulk(layer: string, which: { filter?: string; ids?: readonly string[] }): void {
  chosen.set({ layer, filter: which.ids ? idsIn(which.ids) : (which.filter ?? "") });
  show("bulk");
}

/** Begin a work order about an item; `more` says what is known of it already. */
export function openNewOrder(layer: string | null, id: string | null, more: OrderSeed = {}): void {
  seed = { ...(layer && id ? { items: [{ collection: layer, feature: id }] } : {}), ...more };
  shownOrder.set("new");
  show("orders");
}

/** Show a work order. */
export function openOrder(id: number): void {
  shownOrder.set(String(id));
  show("orders");
}
