/** The deep link: everything a colleague needs to see the same picture, in the hash of the address. */

import { readQuestion, splitWords, writeQuestion } from "./networks/question";
import { keptSlices, onSlices, restoreSlices } from "./slices";
import {
  DESKS,
  type Desk,
  DUTIES,
  type Duty,
  getState,
  JOBS,
  type Job,
  type Lang,
  PLANS,
  type Plan,
  type Scheme,
  type State,
  setState,
  TABS,
  type Tab,
  TOOLS,
  type Tool,
  TRAFFIC,
  type Traffic,
  watch,
} from "./state";
import { readJourney, writeJourney } from "./traffic/journey";

const LANG_KEY = "twin.lang";
const SCHEME_KEY = "twin.scheme";

export interface Camera {
  lon: number;
  lat: number;
  zoom: number;
  bearing: number;
  pitch: number;
}

let camera: Camera | null = null;
let shownAtFirst: ReadonlySet<string> = new Set();
let pending = 0;

function parseCamera(text: string | null): Camera | null {
  const numbers = (text ?? "").split("/").map(Number);
  const [zoom, lat, lon, bearing = 0, pitch = 0] = numbers;
  if (zoom === undefined || lat === undefined || lon === undefined) return null;
  if (numbers.some((number) => !Number.isFinite(number)) || Math.abs(lat) > 85 || Math.abs(lon) > 180) return null;
  return { zoom, lat, lon, bearing, pitch: Math.min(Math.max(pitch, 0), 70) };
}

function parseLayers(text: string | null, known: ReadonlySet<string>): Set<string> {
  const layers = new Set(shownAtFirst);
  for (const entry of (text ?? "").split(",")) {
    const id = entry.slice(1);
    if (!known.has(id)) continue;
    if (entry.startsWith("-")) layers.delete(id);
    else layers.add(id);
  }
  return layers;
}

function read<T extends string>(text: string | null, allowed: readonly T[]): T | null {
  return allowed.find((value) => value === text) ?? null;
}

/** Read language and colours first: they decide how even the loading page looks. */
export function readPreferences(): void {
  const hash = new URLSearchParams(location.hash.slice(1));
  const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const scheme = read<Scheme>(hash.get("scheme") ?? localStorage.getItem(SCHEME_KEY), ["light", "dark"]);
  setState({
    lang: read<Lang>(hash.get("lang") ?? localStorage.getItem(LANG_KEY), ["vi", "en"]) ?? "vi",
    scheme: scheme ?? (prefersDark ? "dark" : "light"),
  });
}

/** Read the rest of the hash into the state. Unknown values are ignored: an old link still opens. */
export function readLink(layersAtFirst: ReadonlySet<string>, known: ReadonlySet<string>): Camera | null {
  shownAtFirst = layersAtFirst;
  const hash = new URLSearchParams(location.hash.slice(1));
  const [layer, ...rest] = (hash.get("item") ?? "").split("/");
  const change: Partial<State> = {
    layers: parseLayers(hash.get("layers"), known),
    runId: hash.get("run"),
    time: hash.get("time"),
    threeD: hash.get("3d") === "1",
    tab: read<Tab>(hash.get("tab"), TABS) ?? "layers",
    plan: read<Plan>(hash.get("plan"), PLANS) ?? "compare",
    desk: read<Desk>(hash.get("desk"), DESKS) ?? "now",
    job: read<Job>(hash.get("job"), JOBS) ?? "query",
    duty: read<Duty>(hash.get("duty"), DUTIES) ?? "list",
    tool: read<Tool>(hash.get("tool"), TOOLS) ?? "trace",
    question: readQuestion(hash),
    traffic: read<Traffic>(hash.get("use"), TRAFFIC) ?? "route",
    journey: readJourney(hash),
    networkRun: hash.get("network-run"),
    profile: splitWords(hash.get("profile")).slice(0, 2),
    lamps: { dark: splitWords(hash.get("dark")), lit: splitWords(hash.get("lit")) },
    selection: layer && rest.length > 0 ? { layer, id: rest.join("/") } : null,
  };
  const product = hash.get("product");
  if (product) change.product = product;
  setState(change);
  restoreSlices(hash);
  camera = parseCamera(hash.get("map"));
  return camera;
}

function writeHash(): void {
  const state = getState();
  const hash = new URLSearchParams();
  if (camera) {
    const { zoom, lat, lon, bearing, pitch } = camera;
    const turned = bearing !== 0 || pitch !== 0 ? `/${bearing.toFixed(0)}/${pitch.toFixed(0)}` : "";
    hash.set("map", `${zoom.toFixed(2)}/${lat.toFixed(5)}/${lon.toFixed(5)}${turned}`);
  }
  const changes = [
    ...[...state.layers].filter((id) => !shownAtFirst.has(id)).map((id) => `~${id}`),
    ...[...shownAtFirst].filter((id) => !state.layers.has(id)).map((id) => `-${id}`),
  ];
  if (changes.length > 0) hash.set("layers", changes.join(","));
  if (state.runId) hash.set("run", state.runId);
  if (state.product !== "flood_depth") hash.set("product", state.product);
  if (state.time) hash.set("time", state.time);
  if (state.threeD) hash.set("3d", "1");
  if (state.tab !== "layers") hash.set("tab", state.tab);
  if (state.plan !== "compare") hash.set("plan", state.plan);
  if (state.desk !== "now") hash.set("desk", state.desk);
  if (state.job !== "query") hash.set("job", state.job);
  if (state.duty !== "list") hash.set("duty", state.duty);
  if (state.tool !== "trace") hash.set("tool", state.tool);
  writeQuestion(state.question, hash);
  if (state.traffic !== "route") hash.set("use", state.traffic);
  writeJourney(state.journey, hash);
  if (state.networkRun) hash.set("network-run", state.networkRun);
  if (state.lamps.dark.length > 0) hash.set("dark", state.lamps.dark.join(";"));
  if (state.lamps.lit.length > 0) hash.set("lit", state.lamps.lit.join(";"));
  if (state.profile.length > 0) hash.set("profile", state.profile.join(";"));
  if (state.selection) hash.set("item", `${state.selection.layer}/${state.selection.id}`);
  for (const [key, text] of keptSlices()) hash.set(key, text);
  hash.set("lang", state.lang);
  if (state.scheme === "dark") hash.set("scheme", "dark");
  const text = hash
    .toString()
    .replaceAll("%2F", "/")
    .replaceAll("%2C", ",")
    .replaceAll("%3A", ":")
    .replaceAll("%7E", "~")
    .replaceAll("%3B", ";");
  history.replaceState(null, "", `#${text}`);
}

/** Write soon, and once: browsers refuse addresses that change with every frame. */
function scheduleWrite(): void {
  clearTimeout(pending);
  pending = window.setTimeout(writeHash, 250);
}

export function setCamera(next: Camera): void {
  camera = next;
  scheduleWrite();
}

/** Keep the hash and the stored preferences in step with the state. */
export function followState(): void {
  const keys = [
    "lang",
    "scheme",
    "layers",
    "runId",
    "product",
    "time",
    "threeD",
    "tab",
    "plan",
    "desk",
    "job",
    "duty",
    "tool",
    "question",
    "traffic",
    "journey",
    "networkRun",
    "profile",
    "lamps",
  ] as const;
  watch([...keys, "selection"], (state) => {
    localStorage.setItem(LANG_KEY, state.lang);
    localStorage.setItem(SCHEME_KEY, state.scheme);
    scheduleWrite();
  });
  onSlices(scheduleWrite);
}

/** Return the address that shows a colleague what is on the screen now. */
export function writeLink(): string {
  writeHash();
  return location.href;
}
