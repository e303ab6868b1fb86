/** What the engineer asks of the server: schemas, versions, edits, quarantine, work orders, inspections, checks. */

import { ApiError, ask, request } from "../api";
import { readInternal } from "../card/internal";
import type { Item, Words } from "../types";
import { readAuthor, write } from "../writing";

const part = encodeURIComponent;
const itemPath = (layer: string, id: string): string => `/api/collections/${part(layer)}/items/${part(id)}`;

/** A property as the declaration describes it. */
export interface PropertySchema {
  "x-title-i18n"?: Words;
  type?: "string" | "number" | "integer" | "boolean";
  format?: string;
  enum?: string[];
  "x-codes"?: Record<string, Words>;
  "x-ogc-unit"?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  pattern?: string;
  "x-ogc-role"?: string;
}

export interface LayerSchema {
  properties: Record<string, PropertySchema>;
  required?: string[];
}

/** An item with the mark of the version that was read. */
export interface Version {
  item: Item;
  etag: string;
}

export type Op = "create" | "update" | "delete";

export interface EditBody {
  op: Op;
  collection: string;
  id?: string;
  if_match?: string;
  feature?: unknown;
  patch?: unknown;
}

/** What a rule finds. */
export interface Finding {
  rule: string;
  severity: "error" | "warning";
  collection: string;
  feature: string;
  property: string | null;
  value: string | null;
  other: string | null;
  place: [number, number] | null;
  reason: Words;
  hint: Words | null;
  standing: boolean;
}

export interface EditOutcome {
  /** Its number; of an edit that was only tried 0. */
  edit: number;
  results: { collection: string; id: string; status: string; etag: string | null }[];
  findings: Finding[];
}

export interface BulkOutcome {
  edit: number | null;
  count: number;
  changed: number;
  samples: Pick<Change, "id" | "properties">[];
  findings: Finding[];
}

export interface EditShort {
  id: number;
  at: string;
  kind: "load" | "edit" | "revert" | "mend" | "run";
  source: string | null;
  reverts: number | null;
  collections: string[];
  author: string;
  reason: string;
}

export interface Change {
  collection: string;
  id: string;
  change: "created" | "changed" | "deleted" | "none";
  properties: Record<string, { old: unknown; new: unknown }>;
  moved: number | null;
}

export interface EditLong extends EditShort {
  counts: Record<string, number>;
  changes: Change[];
}

export interface RowProblem {
  field: string | null;
  value: string | null;
  reason: string;
  words: Words;
  hint_words: Words | null;
}

/** A row that was not loaded. */
export interface QuarantineRow {
  id: number;
  source: string;
  layer: string;
  uri: string;
  row: number | null;
  problems: RowProblem[];
  payload: Record<string, unknown>;
  changes: Record<string, unknown>;
  feature_id: string | null;
  status: "open" | "mended" | "dismissed";
  created: string;
  settled: string | null;
  settled_by: string | null;
  settled_why: string | null;
}

export interface QuarantineCount {
  source: string;
  layer: string;
  field: string | null;
  reason: string;
  words: Words;
  rows: number;
}

export interface QuarantinePage {
  rows: QuarantineRow[];
  links: { rel: string; href: string }[];
  summary?: QuarantineCount[];
}

export interface MendOutcome {
  id: number;
  layer: string;
  feature_id: string | null;
  problems: RowProblem[];
}

export type OrderStatus = "open" | "assigned" | "done" | "verified" | "cancelled";
export type OrderKind = "repair" | "clean" | "replace" | "inspect" | "other";
export type OrderPriority = "low" | "normal" | "high" | "urgent";
export type OrderOrigin = "inspection" | "alarm" | "report" | "plan";

export interface OrderItem {
  collection: string;
  feature: string;
}

export interface Order {
  id: number;
  title: string;
  description: string;
  kind: OrderKind;
  status: OrderStatus;
  status_title: Words;
  next: OrderStatus[];
  priority: OrderPriority;
  assignee: string | null;
  due: string | null;
  overdue: boolean;
  cost: number | null;
  origin: OrderOrigin;
  items: OrderItem[];
  position: { lon: number; lat: number } | null;
  created: string;
  updated: string;
  version: number;
}

export interface OrderEvent {
  at: string;
  author: string;
  reason: string;
  from: OrderStatus | null;
  to: OrderStatus;
  changes: Record<string, unknown>;
}

export interface Attachment {
  id: number;
  title: string;
  filename: string;
  media_type: string;
  author: string;
  created: string;
  href: string;
}

export interface Check {
  rule: string;
  collection: string;
  severity: "error" | "warning";
  title: Words;
  count: number;
  findings: Finding[];
}

const schemas = new Map<string, Promise<LayerSchema>>();

/** Return the declaration of a layer; it is asked for once. */
export function readSchema(layer: string): Promise<LayerSchema> {
  const known = schemas.get(layer) ?? request<LayerSchema>(`/api/collections/${part(layer)}/schema`);
  schemas.set(layer, known);
  known.catch(() => schemas.delete(layer));
  return known;
}

/** Return an item as it is now, with its version. */
export async function readVersion(layer: string, id: string): Promise<Version> {
  const response = await ask(itemPath(layer, id));
  return { item: (await response.json()) as Item, etag: response.headers.get("etag") ?? "*" };
}

/** Carry out edits, all or none; with `check` only say what would come of it. */
export const sendEdits = (edits: EditBody[], reason: string, check = false): Promise<EditOutcome> =>
  write("POST", `/api/edits${check ? "?check=true" : ""}`, { reason, edits });

/** Set properties of all items that pass a filter; with `check` only say what would come of it. */
export const sendBulk = (
  body: { collection: string; filter?: string; set: Record<string, unknown>; reason: string },
  check: boolean,
): Promise<BulkOutcome> => write("POST", `/api/edits/bulk${check ? "?check=true" : ""}`, body);

export const takeBack = (edit: number, reason: string): Promise<EditOutcome> =>
  write("POST", `/api/edits/${edit}/revert`, null, { reason });

/** Read what the server may keep for those who write; who one is is asked for only where the server wants to know. */
async function readAs<T>(path: string): Promise<T> {
  try {
    return await readInternal<T>(path);
  } catch (error) {
    const isRefused = error instanceof ApiError && (error.status === 401 || error.status === 403);
    if (!isRefused || readAuthor()) throw error;
    return write<T>("GET", path, null);
  }
}

export const readEdits = (query: Record<string, string>): Promise<{ edits: EditShort[] }> =>
  readAs(`/api/edits?${new URLSearchParams(query)}`);

export const readEdit = (id: number): Promise<EditLong> => readAs(`/api/edits/${id}`);

/** Return the last known shape of an item, also of one that was deleted. */
export async function readLastShape(layer: string, id: string): Promise<GeoJSON.Geometry | null> {
  const { versions } = await request<{ versions: Item[] }>(`${itemPath(layer, id)}/versions`);
  return versions.at(-1)?.geometry ?? null;
}

export const readQuarantine = (query: Record<string, string>): Promise<QuarantinePage> =>
  readAs(`/api/quarantine?${new URLSearchParams(query)}`);

export const readQuarantineRow = (id: number): Promise<QuarantineRow> => readAs(`/api/quarantine/${id}`);

export const mendRow = (
  id: number,
  body: { properties?: Record<string, unknown>; geometry?: GeoJSON.Geometry },
  reason: string,
): Promise<MendOutcome> => write("POST", `/api/quarantine/${id}/mend`, body, { reason });

export const retryRows = (
  body: Record<string, unknown>,
  reason: string,
): Promise<{ mended: number; open: number; rows: MendOutcome[] }> =>
  write("POST", "/api/quarantine/retry", body, { reason });

export const dismissRow = (id: number, reason: string): Promise<void> =>
  write("DELETE", `/api/quarantine/${id}`, null, { reason });

interface OrderFeature {
  id: number;
  geometry: GeoJSON.Point | null;
  properties: Omit<Order, "id" | "position">;
}

/** Return work orders, the newest first. */
export async function readOrders(query: Record<string, string>): Promise<Order[]> {
  const page = await readAs<{ features: OrderFeature[] }>(`/api/work-orders?${new URLSearchParams(query)}`);
  return page.features.map(({ id, geometry, properties }) => {
    const [lon, lat] = geometry?.coordinates ?? [];
    return { id, ...properties, position: lon !== undefined && lat !== undefined ? { lon, lat } : null };
  });
}

export const readOrder = (id: number): Promise<Order & { events: OrderEvent[] }> => readAs(`/api/work-orders/${id}`);

export const sendOrder = (body: Record<string, unknown>): Promise<Order> => write("POST", "/api/work-orders", body);

const versionTag = (order: Order): string => `"${order.version}"`;

export const changeOrder = (order: Order, body: Record<string, unknown>, reason: string): Promise<Order> =>
  write("PATCH", `/api/work-orders/${order.id}`, body, { reason, etag: versionTag(order) });

export const moveOrder = (order: Order, status: OrderStatus, assignee: string | null, reason: string): Promise<Order> =>
  write(
    "POST",
    `/api/work-orders/${order.id}/transitions`,
    { status, ...(assignee ? { assignee } : {}) },
    { reason, etag: versionTag(order) },
  );

export const readAttachments = async ({ collection, feature }: OrderItem): Promise<Attachment[]> =>
  (await readAs<{ attachments: Attachment[] }>(`${itemPath(collection, feature)}/attachments`)).attachments;

export const attach = ({ collection, feature }: OrderItem, file: File, title: string): Promise<Attachment> =>
  write("POST", `${itemPath(collection, feature)}/attachments?title=${part(title)}`, file, {
    headers: {
      "content-type": file.type,
      "content-disposition": `attachment; filename*=UTF-8''${part(file.name)}`,
    },
  });

export interface Due {
  collection: string;
  feature: string;
  last: string | null;
  due: string | null;
}

export const readDue = async (collection: string): Promise<Due[]> =>
  (await readAs<{ due: Due[] }>(`/api/inspections/due?${new URLSearchParams({ collection, limit: "200" })}`)).due;

export const sendInspection = (
  { collection, feature }: OrderItem,
  body: Record<string, unknown>,
): Promise<{ id: number; work_order?: Order }> => write("POST", `${itemPath(collection, feature)}/inspections`, body);

export const readChecks = (
  query: Record<string, string>,
): Promise<{ rules: number; errors: number; warnings: number; checks: Check[] }> =>
  readAs(`/api/checks?${new URLSearchParams(query)}`);
