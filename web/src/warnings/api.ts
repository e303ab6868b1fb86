/** Warnings as the server keeps them: the rules of sending, drafts, messages, deliveries. */

import { ApiError, request } from "../api";
import type { Words } from "../types";
import { readAuthor, write } from "../writing";

export type Status = "Actual" | "Exercise" | "Test";
export type Kind = "Alert" | "Update" | "Cancel";

/** Words of a person in one language; an empty one leaves the usual words. */
export interface OwnWords {
  headline: string;
  description: string;
  instruction: string;
}

export interface Warning {
  level: number;
  station: { id: string; name?: string; name_en?: string };
  wards: string[];
  expires: string;
  status: Status;
  stage: number | null;
  threshold: number | null;
  at: string | null;
  onset: string | null;
  probability: number | null;
  alarms: string[];
  note: string;
  vi: OwnWords;
  en: OwnWords;
  contact: string;
}

export interface Draft {
  id: number;
  msgType: Kind;
  chains: string[];
  origin: "alarms" | "person";
  state: string;
  reason: string;
  created: string;
  updated: string;
  warning: Warning;
}

export interface Alert {
  number: number;
  identifier: string;
  href: string;
  sent: string;
  status: Status;
  msgType: Kind;
  chain: string;
  severity: string;
  expires: string;
  headline: Words;
  level: number;
  wards: string[];
}

/** What a message says in one language. */
export interface Info extends OwnWords {
  language: string;
  event: string;
  urgency: string;
  severity: string;
  certainty: string;
  responses: string[];
  onset: string | null;
  expires: string;
  sender: string;
  contact: string | null;
  areas: string[];
}

export interface Problem {
  member: string;
  detail: string;
  hint: string | null;
}

interface Said {
  infos: Info[];
  area: GeoJSON.FeatureCollection | null;
}

export interface Preview extends Said {
  xml: string | null;
  words: { vi: OwnWords; en: OwnWords };
  problems: Problem[];
}

export interface AlertWords extends Alert, Said {
  warning: Warning;
  references: string[];
  note: string | null;
}

export interface Policy {
  sender: string;
  name: Words;
  event: Words;
  statuses: { status: Status; refused: { detail: string; hint: string | null } | null }[];
  proposals: Status;
  automatic: boolean;
  longest_hours: number;
  levels: { level: number; title: Words; severity: string; responses: string[] }[];
}

export interface Delivery {
  id: string;
  kind: string;
  reference: string;
  group: string;
  channel: string;
  state: string;
  attempts: number;
  due: string;
  settled: string | null;
  error: string | null;
}

/** A message that is written and not issued. */
export interface Writing {
  warning: Warning;
  msgType: Kind;
  chains: string[];
}

const part = encodeURIComponent;

/** Read what only those who may write can see; a name that is known is sent along. */
const readOwn = <T>(path: string): Promise<T> => (readAuthor() ? write<T>("GET", path, null) : request<T>(path));

/** Whether the server wants to know who asks. */
export const wantsName = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 401 || error.status === 403);

export const readPolicy = (): Promise<Policy> => request("/cap/policy");

export async function readAlerts(query: Record<string, string>): Promise<Alert[]> {
  return (await request<{ alerts: Alert[] }>(`/cap/alerts.json?${new URLSearchParams(query)}`)).alerts;
}

export const readAlert = (identifier: string): Promise<AlertWords> => request(`/cap/alerts/${part(identifier)}.json`);

export const readDrafts = async (): Promise<Draft[]> => (await readOwn<{ drafts: Draft[] }>("/cap/drafts")).drafts;

export const readDeliveries = async (identifier: string): Promise<Delivery[]> =>
  (await readOwn<{ deliveries: Delivery[] }>(`/cap/outbox?${new URLSearchParams({ reference: identifier })}`))
    .deliveries;

export const previewWarning = (writing: Writing, reason: string, signal: AbortSignal): Promise<Preview> =>
  request("/cap/preview", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ ...writing, reason }),
    signal,
  });

export const keepDraft = (writing: Writing, draft: number | null): Promise<Draft> =>
  draft === null ? write("POST", "/cap/drafts", writing) : write("PUT", `/cap/drafts/${draft}`, writing);

export const discardDraft = (draft: number): Promise<Draft> => write("POST", `/cap/drafts/${draft}/discard`, null);

export const issueDraft = (draft: number, reason: string): Promise<Alert> =>
  write("POST", "/cap/alerts", { draft }, { reason });

export const issueAlert = (warning: Warning): Promise<Alert> => write("POST", "/cap/alerts", { warning });

export const updateAlert = (identifier: string, warning: Warning, joins: string[], reason: string): Promise<Alert> =>
  write("POST", `/cap/alerts/${part(identifier)}/update`, { warning, joins }, { reason });

export const cancelAlert = (identifier: string, reason: string): Promise<Alert> =>
  write("POST", `/cap/alerts/${part(identifier)}/cancel`, null, { reason });

export const retryDelivery = (id: string): Promise<Delivery> => write("POST", `/cap/outbox/${part(id)}/retry`, null);
