/** The typed client: one function a question, one error class for every failure. */

import type {
  Alarm,
  Catalog,
  Departure,
  Feed,
  Hit,
  Item,
  ItemPage,
  Job,
  Observations,
  PointValues,
  Process,
  ProcessSummary,
  Profile,
  Reading,
  Result,
  Run,
  RunFile,
  RunShort,
  Sensor,
  StageForecast,
} from "./types";

const RECONNECT_MS = 60_000;

interface Problem {
  title?: string;
  detail?: string;
  hint?: string;
}

/** A request that did not succeed; `status` is 0 when the server could not be reached at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint?: string,
    /** The problem document whole, with what its type adds, such as findings. */
    readonly problem: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** Whether a question was refused for what it says: to ask the same again is of no use. */
export const isOurs = (error: unknown): boolean =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;

/** A change says that a page of ours asks for it: no form of another site can. */
function ofPage(init?: RequestInit): RequestInit {
  if (!init?.method || init.method === "GET") return {};
  return { headers: { accept: "application/json", ...(init.headers as Record<string, string>), "Twin-Page": "1" } };
}

/** Ask the server for an answer with its headers. Throws {@link ApiError}. */
export async function ask(path: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: "application/json" }, ...init, ...ofPage(init) });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, String(error));
  }
  if (!response.ok) throw await readProblem(response);
  return response;
}

type Headers = Record<string, string> | undefined;
let signInFirst: () => Promise<boolean> = async () => false;

/** Say how somebody signs in when a run or another change is refused to who is not known. */
export function onUnknown(signIn: () => Promise<boolean>): void {
  signInFirst = signIn;
}

/** Whether a refused request is worth asking who it is: a change that does not say who makes it, as writing does. */
const isUnsigned = (error: unknown, path: string, init?: RequestInit): boolean =>
  error instanceof ApiError &&
  error.status === 401 &&
  (init?.method ?? "GET") !== "GET" &&
  !path.startsWith("/auth/") &&
  !(init?.headers as Headers)?.["Twin-Author"];

/** Ask the server; an answer without a body is undefined. Throws {@link ApiError}. */
export async function request<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await ask(path, init);
  } catch (error) {
    if (!isUnsigned(error, path, init) || !(await signInFirst())) throw error;
    response = await ask(path, init);
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function readProblem(response: Response): Promise<ApiError> {
  let problem: Problem = {};
  try {
    problem = (await response.json()) as Problem;
  } catch {
    // A proxy may answer with a page; the status line is then all there is to say.
  }
  const message = problem.detail ?? problem.title ?? `${response.status} ${response.statusText}`;
  return new ApiError(response.status, message, problem.hint, { ...problem });
}

const part = encodeURIComponent;

export const readCatalog = (): Promise<Catalog> => request("/api/catalog");

export const readStyle = (theme: string): Promise<unknown> => request(`/api/styles/${part(theme)}`);

export const readItem = (layer: string, id: string, signal?: AbortSignal): Promise<Item> =>
  request(`/api/collections/${part(layer)}/items/${part(id)}`, signal ? { signal } : undefined);

export function readItems(layer: string, query: Record<string, string>): Promise<ItemPage> {
  return request(`/api/collections/${part(layer)}/items?${new URLSearchParams(query)}`);
}

/** Return features by the words of their names, addresses, codes and ids, the best first. */
export async function searchFeatures(words: string, limit: number, signal: AbortSignal): Promise<Hit[]> {
  const query = new URLSearchParams({ q: words, limit: String(limit) });
  return (await request<{ hits: Hit[] }>(`/api/search?${query}`, { signal })).hits;
}

/** Return path and query of a link that the server wrote, so that a proxy's host name does no harm. */
export function localPath(href: string): string {
  const url = new URL(href, location.href);
  return url.pathname + url.search;
}

/** Follow a `next` link. */
export const readPage = (href: string): Promise<ItemPage> => request(localPath(href));

export const readSensors = async (): Promise<Sensor[]> =>
  (await request<{ features: Sensor[] }>("/sensors/latest")).features;

/** Call `tell` with readings as they change, for as long as the page lives; `lost` hears whether the line is down. */
export function followReadings(tell: (readings: Reading[]) => void, lost: (down: boolean) => void): void {
  const source = new EventSource("/sensors/events");
  source.addEventListener("ready", () => lost(false));
  source.addEventListener("reading", (event) => tell((JSON.parse(event.data) as { readings: Reading[] }).readings));
  source.addEventListener("error", () => {
    lost(true);
    // The browser takes a broken line up again by itself, one that was refused it does not.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => followReadings(tell, lost), RECONNECT_MS);
  });
}

export function readObservations(id: string, start: Date, end: Date): Promise<Observations> {
  const query = new URLSearchParams({ start: toIso(start), end: toIso(end), max_points: "2000" });
  return request(`/sensors/datastreams/${part(id)}/observations?${query}`);
}

/** Return the answer to a question, or null where the server has nothing of that name. */
export async function orNone<T>(question: Promise<T>): Promise<T | null> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** Return the forecast of a datastream, or null where there is none. */
export const readForecast = (id: string): Promise<StageForecast | null> =>
  orNone(request(`/sensors/datastreams/${part(id)}/forecast`));

export const readProcesses = async (): Promise<ProcessSummary[]> =>
  (await request<{ processes: ProcessSummary[] }>("/api/processes")).processes;

export const readProcess = (id: string): Promise<Process> => request(`/api/processes/${part(id)}`);

function execute<T>(
  process: string,
  inputs: Record<string, unknown>,
  headers: Record<string, string>,
  signal: AbortSignal | null,
): Promise<T> {
  return request(`/api/processes/${part(process)}/execution`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", ...headers },
    body: JSON.stringify({ inputs }),
    signal,
  });
}

/** Start a process as a job, also one that could answer at once. */
export const startJob = (process: string, inputs: Record<string, unknown>): Promise<Job> =>
  execute(process, inputs, { prefer: "respond-async" }, null);

/** Ask a process that answers at once; results are by name. */
export const askProcess = (
  process: string,
  inputs: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Record<string, Result>> => execute(process, inputs, {}, signal);

/** Follow a link of the server to features. */
export const readFeatures = (href: string, signal: AbortSignal): Promise<GeoJSON.FeatureCollection> =>
  request(localPath(href), { signal });

export const readJobs = async (): Promise<Job[]> => (await request<{ jobs: Job[] }>("/api/jobs?limit=30")).jobs;

export const readJob = (id: string): Promise<Job> => request(`/api/jobs/${part(id)}`);

export const cancelJob = (id: string): Promise<Job> => request(`/api/jobs/${part(id)}`, { method: "DELETE" });

export const readRuns = async (): Promise<RunShort[]> =>
  (await request<{ runs: RunShort[] }>("/api/runs?limit=100")).runs;

export const readRun = (id: string): Promise<Run> => request(`/api/runs/${part(id)}`);

/** Return the tables and drawings that a run keeps. */
export const readRunFiles = async (id: string): Promise<RunFile[]> =>
  (await request<{ files: RunFile[] }>(`/api/runs/${part(id)}/files`)).files;

/** Return the public transport feeds of the city; none where the server knows no such thing. */
export async function readFeeds(): Promise<Feed[]> {
  try {
    return (await request<{ feeds: Feed[] }>("/gtfs")).feeds;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

/** Return what leaves a stop of a feed next. */
export const readDepartures = async (feed: string, stop: string): Promise<Departure[]> =>
  (await request<{ departures: Departure[] }>(`/gtfs/${part(feed)}/stops/${part(stop)}/departures`)).departures;

/** Return alarms of some kind of event, those that stand or, with `all`, the latest. */
export async function readAlarms(event: string, all: boolean): Promise<Alarm[]> {
  const query = new URLSearchParams({ event, limit: "50", ...(all ? { state: "all" } : {}) });
  return (await request<{ alarms: Alarm[] }>(`/alarms?${query}`)).alarms;
}

export const readPoint = (raster: string, lon: number, lat: number): Promise<PointValues> =>
  request(`/tiles/raster/${part(raster)}/point?lon=${lon.toFixed(6)}&lat=${lat.toFixed(6)}`);

/** Return bed, crown, ground and water along the drains between two nodes of a run, `hours` after its start. */
export function readProfile(
  run: string,
  nodes: readonly [string, string],
  hours: number | null,
  signal: AbortSignal,
): Promise<Profile> {
  const query = new URLSearchParams({ from: nodes[0], to: nodes[1] });
  if (hours !== null) query.set("hours", String(hours));
  return request(`/api/runs/${part(run)}/drainage/profile?${query}`, { signal });
}

/** Return the seconds after its start at which a drainage run tells its levels. */
export const readRunSeconds = async (run: string, signal: AbortSignal): Promise<number[]> =>
  (await request<{ seconds: number[] }>(`/api/runs/${part(run)}/drainage/series`, { signal })).seconds;

/** Write a moment as the contract does: UTC, whole seconds. */
export function toIso(moment: Date): string {
  return `${moment.toISOString().slice(0, 19)}Z`;
}
