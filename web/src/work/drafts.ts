/** Edits that are not saved yet: they survive a reload, and several are saved as one. */

import type { Item } from "../types";
import type { EditBody, LayerSchema, Op } from "./api";
import type { Edited } from "./open";
import { isRequired, ownProperties, readText, writeText } from "./values";

const KEY = "twin.drafts";

/** What a person has changed of one item; `texts` are what the controls hold, of changed properties only. */
export interface Draft {
  layer: string;
  /** The item's id; of a new one what the person wants it to be, or nothing. */
  id: string;
  op: Op;
  etag: string;
  before: Item | null;
  texts: Record<string, string>;
  geometry: GeoJSON.Geometry | null;
}

function load(): Draft[] {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(read) ? (read as Draft[]) : [];
  } catch {
    return [];
  }
}

let drafts = load();
const listeners: (() => void)[] = [];

export const allDrafts = (): readonly Draft[] => drafts;

export const onDrafts = (listener: () => void): number => listeners.push(listener);

/** Whether two things are about the same item; there is one new item a layer at a time. */
const isSame = (draft: Draft, { layer, id }: Edited): boolean =>
  draft.layer === layer && (id === null ? draft.op === "create" : draft.op !== "create" && draft.id === id);

export const findDraft = (of: Edited): Draft | undefined => drafts.find((draft) => isSame(draft, of));

export const editedOf = ({ layer, op, id }: Draft): Edited => ({ layer, id: op === "create" ? null : id });

export const isChanged = (draft: Draft): boolean =>
  draft.op === "delete" || Object.keys(draft.texts).length > 0 || draft.geometry !== null;

function keep(next: Draft[]): void {
  drafts = next;
  try {
    localStorage.setItem(KEY, JSON.stringify(drafts));
  } catch (error) {
    // A browser that keeps nothing still edits; only a reload loses the draft.
    console.warn("drafts:", error);
  }
  for (const listener of listeners) listener();
}

/** Keep a draft as it is now; one without changes is forgotten. */
export function keepDraft(draft: Draft): void {
  const others = drafts.filter((one) => !isSame(one, editedOf(draft)));
  keep(isChanged(draft) ? [...others, draft] : others);
}

export const dropDrafts = (gone: readonly Draft[]): void =>
  keep(drafts.filter((one) => !gone.some((other) => isSame(one, editedOf(other)))));

/** Return the text of a property in a draft: what was typed, else what the item has. */
export function textOf(draft: Draft, schema: LayerSchema, name: string): string {
  const typed = draft.texts[name];
  if (typed !== undefined) return typed;
  const property = schema.properties[name];
  return property ? writeText(property, draft.before?.properties[name]) : "";
}

/** Keep what was typed of a property; what is as it was is no change. */
export function typeText(draft: Draft, schema: LayerSchema, name: string, text: string): void {
  const property = schema.properties[name];
  if (property && text === writeText(property, draft.before?.properties[name])) delete draft.texts[name];
  else draft.texts[name] = text;
}

/** Return what is wrong with a draft as far as its declaration says: words by property. */
export function findProblems(draft: Draft, schema: LayerSchema): Map<string, string> {
  const problems = new Map<string, string>();
  if (draft.op === "delete") return problems;
  for (const [name, property] of ownProperties(schema)) {
    if (draft.op === "update" && draft.texts[name] === undefined) continue;
    const reading = readText(property, textOf(draft, schema, name), isRequired(schema, name));
    if ("problem" in reading) problems.set(name, reading.problem);
  }
  return problems;
}

/** Return the edit that a draft without problems comes to. */
export function writeEdit(draft: Draft, schema: LayerSchema): EditBody {
  const { layer: collection, id, op, etag, geometry } = draft;
  if (op === "delete") return { op, collection, id, if_match: etag };
  const properties: Record<string, unknown> = {};
  for (const name of Object.keys(draft.texts)) {
    const property = schema.properties[name];
    const reading = property ? readText(property, draft.texts[name]!, isRequired(schema, name)) : null;
    if (reading && "value" in reading) properties[name] = reading.value;
  }
  const shape = geometry ? { geometry } : {};
  if (op === "update") return { op, collection, id, if_match: etag, patch: { properties, ...shape } };
  return { op, collection, ...(id ? { id } : {}), feature: { type: "Feature", properties, ...shape } };
}
