/** What the person has chosen: one value, changed in one place, watched by key. */

import { FIRST_QUESTION, type Question } from "./networks/question";
import { FIRST_JOURNEY, type Journey } from "./traffic/journey";

export type Lang = "vi" | "en";
export type Scheme = "light" | "dark";
export type Tab =
  | "layers"
  | "planning"
  | "flood"
  | "scenario"
  | "networks"
  | "traffic"
  | "inventory"
  | "sensors"
  | "alarms";
/** What the planner's panel is used for. */
export type Plan = "compare" | "area" | "parcel" | "projects" | "edits";
/** What the flood desk is used for. */
export type Desk = "now" | "wards" | "water" | "difference" | "access" | "warnings" | "report";
/** What the panel of the inventory is used for. */
export type Job = "query" | "edits" | "bulk" | "quarantine" | "orders" | "checks";
/** What the panel of alarms is used for. */
export type Duty = "list" | "statistics" | "rules";
/** What the panel of networks is used for. */
export type Tool = "trace" | "results" | "profile" | "findings" | "lamps" | "leaks";
/** What the panel of traffic is used for. */
export type Traffic = "route" | "reach" | "water" | "flows" | "now" | "transit" | "critical" | "results";

export interface Selection {
  layer: string;
  id: string;
}

export interface Place {
  lon: number;
  lat: number;
}

export interface State {
  lang: Lang;
  scheme: Scheme;
  threeD: boolean;
  tab: Tab;
  panelOpen: boolean;
  /** Ids of the layers that are shown. */
  layers: ReadonlySet<string>;
  runId: string | null;
  /** Raster layer of the run that is drawn, or "none". */
  product: string;
  /** Chosen moment of the run's series, as the contract writes it. */
  time: string | null;
  opacity: number;
  selection: Selection | null;
  /** Where the last click on the map was. */
  place: Place | null;
  plan: Plan;
  desk: Desk;
  job: Job;
  duty: Duty;
  tool: Tool;
  /** Run of a network whose layers are drawn. */
  networkRun: string | null;
  /** Ids of lamps that were seen dark and lit. */
  lamps: { readonly dark: readonly string[]; readonly lit: readonly string[] };
  /** Ids of the nodes between which the long profile is drawn. */
  profile: readonly string[];
  /** What a network is asked, complete or not. */
  question: Question;
  traffic: Traffic;
  /** What the roads are asked, complete or not. */
  journey: Journey;
}

export const TABS: readonly Tab[] = [
  "layers",
  "planning",
  "flood",
  "scenario",
  "networks",
  "traffic",
  "inventory",
  "sensors",
  "alarms",
];
export const PLANS: readonly Plan[] = ["compare", "area", "parcel", "projects", "edits"];
export const DESKS: readonly Desk[] = ["now", "wards", "water", "difference", "access", "warnings", "report"];
export const JOBS: readonly Job[] = ["query", "edits", "bulk", "quarantine", "orders", "checks"];
export const DUTIES: readonly Duty[] = ["list", "statistics", "rules"];
export const TOOLS: readonly Tool[] = ["trace", "results", "profile", "findings", "lamps", "leaks"];
export const TRAFFIC: readonly Traffic[] = [
  "route",
  "reach",
  "water",
  "flows",
  "now",
  "transit",
  "critical",
  "results",
];

type Watcher = (state: Readonly<State>) => void;

let current: State = {
  lang: "vi",
  scheme: "light",
  threeD: false,
  tab: "layers",
  panelOpen: true,
  layers: new Set(),
  runId: null,
  product: "flood_depth",
  time: null,
  opacity: 0.85,
  selection: null,
  place: null,
  plan: "compare",
  desk: "now",
  job: "query",
  duty: "list",
  tool: "trace",
  networkRun: null,
  lamps: { dark: [], lit: [] },
  profile: [],
  question: FIRST_QUESTION,
  traffic: "route",
  journey: FIRST_JOURNEY,
};

const watchers: { keys: readonly (keyof State)[]; watcher: Watcher }[] = [];

export function getState(): Readonly<State> {
  return current;
}

/** Change the state and tell those who watch one of the keys whose value is another now. */
export function setState(change: Partial<State>): void {
  const before = current;
  current = { ...current, ...change };
  const changed = (Object.keys(change) as (keyof State)[]).filter((key) => before[key] !== current[key]);
  if (changed.length === 0) return;
  for (const { keys, watcher } of watchers) {
    if (keys.some((key) => changed.includes(key))) watcher(current);
  }
}

export function watch(keys: readonly (keyof State)[], watcher: Watcher): void {
  watchers.push({ keys, watcher });
}

/** Show or hide one layer. */
export function toggleLayer(id: string, shown: boolean): void {
  const layers = new Set(current.layers);
  if (shown) layers.add(id);
  else layers.delete(id);
  setState({ layers });
}
