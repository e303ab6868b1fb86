/** What of the attribute table lives in the share link: the open layers, and how each is looked at. */

import { findVectorLayer } from "../data";
import { t } from "../i18n";
import { makeSlice } from "../slices";
import type { Property } from "../types";
import { both, idProperty, type Test, writeTest } from "./tests";

export interface Sort {
  name: string;
  down: boolean;
}

export interface View {
  layer: string;
  /** Filter in CQL2 that came with the question. */
  where: string;
  /** Words that the rows must hold. */
  words: string;
  /** Filters of columns, one a column. */
  tests: readonly Test[];
  sort: readonly Sort[];
  /** Names of the columns in their order; null for all. */
  columns: readonly string[] | null;
  /** Terms to group by, as the server names them; none for rows. */
  group: readonly string[];
  /** What is computed of each group beside its count, such as `avg(power)`. */
  measure: string;
  inView: boolean;
  /** Whether the rows are marked on the map. */
  marked: boolean;
  /** Moment of the history that is read, null for the present. */
  at: string | null;
}

export interface Tables {
  views: readonly View[];
  active: number;
  /** Height of the dock [px]; 0 for the usual one. */
  height: number;
}

const MOST_VIEWS = 8;
const LONGEST = 20_000;

export const newView = (layer: string): View => ({
  layer,
  where: "",
  words: "",
  tests: [],
  sort: [],
  columns: null,
  group: [],
  measure: "",
  inView: false,
  marked: false,
  at: null,
});

const isText = (value: unknown): value is string => typeof value === "string";
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter(isText) : []);

function readTest(value: unknown): Test[] {
  const { name, op, values } = (value ?? {}) as Partial<Test>;
  return isText(name) && isText(op) ? [{ name, op, values: texts(values) }] : [];
}

function readView(value: unknown): View[] {
  const given = (value ?? {}) as Partial<Record<keyof View, unknown>>;
  if (!isText(given.layer)) return [];
  const list = (part: unknown): unknown[] => (Array.isArray(part) ? part : []);
  const sort = list(given.sort).flatMap((one): Sort[] => {
    const { name, down } = (one ?? {}) as Partial<Sort>;
    return isText(name) ? [{ name, down: down === true }] : [];
  });
  return [
    {
      ...newView(given.layer),
      where: isText(given.where) ? given.where : "",
      words: isText(given.words) ? given.words : "",
      tests: list(given.tests).flatMap(readTest),
      sort,
      columns: Array.isArray(given.columns) ? texts(given.columns) : null,
      group: texts(given.group).slice(0, 2),
      measure: isText(given.measure) ? given.measure : "",
      inView: given.inView === true,
      marked: given.marked === true,
      at: isText(given.at) ? given.at : null,
    },
  ];
}

const NONE: Tables = { views: [], active: 0, height: 0 };

function readTables(text: string | null): Tables {
  if (!text || text.length > LONGEST) return NONE;
  try {
    const given = JSON.parse(text) as { views?: unknown; active?: unknown; height?: unknown };
    const views = Array.isArray(given.views) ? given.views.flatMap(readView).slice(0, MOST_VIEWS) : [];
    const active = Number(given.active ?? 0);
    const height = Number(given.height ?? 0);
    return {
      views,
      active: views[active] ? active : 0,
      height: Number.isFinite(height) ? Math.max(0, Math.round(height)) : 0,
    };
  } catch {
    return NONE;
  }
}

/** Leave out of the link what is as at first. */
function shorten(view: View): Partial<View> {
  const first = newView(view.layer);
  const told = Object.entries(view).filter(
    ([name, value]) => name === "layer" || JSON.stringify(value) !== JSON.stringify(first[name as keyof View]),
  );
  return Object.fromEntries(told) as Partial<View>;
}

/** The open tables. */
export const tables = makeSlice<Tables>("table", readTables, ({ views, active, height }) =>
  views.length > 0
    ? JSON.stringify({ views: views.map(shorten), ...(active ? { active } : {}), ...(height ? { height } : {}) })
    : null,
);

export const activeView = (): View | undefined => tables.get().views[tables.get().active];

/** Change the view that is looked at. */
export function changeView(change: Partial<View>): void {
  const { views, active } = tables.get();
  tables.set({ ...tables.get(), views: views.map((view, at) => (at === active ? { ...view, ...change } : view)) });
}

/** Open a view beside the others, in place of one of the same layer. */
export function addView(view: View): void {
  const { views, height } = tables.get();
  const at = views.findIndex(({ layer }) => layer === view.layer);
  const next = at < 0 ? [...views, view].slice(-MOST_VIEWS) : views.with(at, view);
  tables.set({ views: next, active: at < 0 ? next.length - 1 : at, height });
}

export function closeView(at: number): void {
  const { views, active, height } = tables.get();
  const next = views.toSpliced(at, 1);
  tables.set({
    views: next,
    active: Math.max(0, Math.min(at < active ? active - 1 : active, next.length - 1)),
    height,
  });
}

/** Every property of a layer, its identifier first. */
export const propertiesOf = (layer: string): Property[] => [
  idProperty(t("card.id")),
  ...(findVectorLayer(layer)?.properties ?? []),
];

/** Return the columns that are shown, in their order. */
export function columnsOf(view: View): Property[] {
  const all = propertiesOf(view.layer);
  if (!view.columns) return all;
  const chosen = view.columns.flatMap((name) => all.find((property) => property.name === name) ?? []);
  return chosen.length > 0 ? chosen : all;
}

/** Return what the columns of a view ask, `except` one of them. */
export function writeTests({ layer, tests }: View, except = ""): string | null {
  const all = propertiesOf(layer);
  return both(
    ...tests.map((test) => {
      const property = all.find(({ name }) => name === test.name);
      return property && test.name !== except ? writeTest(test, property) : null;
    }),
  );
}

/** Return the filter of a view in CQL2, without that of one column where it is named. */
export const filterOf = (view: View, except = ""): string | null => both(view.where, writeTests(view, except));

/** Return the order of a view as the server reads it. */
export const orderOf = ({ sort }: View): string => sort.map(({ name, down }) => (down ? "-" : "+") + name).join(",");
