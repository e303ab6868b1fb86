/** What the server tells of alarms, and what a person does with one. */

import { request } from "../api";
import type { Words } from "../types";
import { write } from "../writing";

export type Priority = "critical" | "high" | "medium" | "low";
export type AlarmState = "NORMAL" | "UNACK" | "ACK" | "RTN-UNACK" | "SHELVED" | "SUPPRESSED" | "OUT-OF-SERVICE";

export const PRIORITIES: readonly Priority[] = ["critical", "high", "medium", "low"];
export const STATES: readonly AlarmState[] = ["UNACK", "ACK", "RTN-UNACK", "SHELVED", "SUPPRESSED", "OUT-OF-SERVICE"];
/** States in which there is something to acknowledge. */
export const OPEN: readonly AlarmState[] = ["UNACK", "RTN-UNACK"];

export interface StandingAlarm {
  id: number;
  rule: string;
  title: Words;
  event: string;
  level: number | null;
  priority: Priority;
  priority_title: Words;
  state: AlarmState;
  state_title: Words;
  since: string;
  active: boolean;
  raised: string | null;
  cleared: string | null;
  value: number | null;
  unit: string | null;
  acknowledged: string | null;
  acknowledged_by: string | null;
  shelved_until: string | null;
  incident: number | null;
  thing: string | null;
  thing_name: string | null;
  kind: string | null;
  ward: { code: string; name: string } | null;
  position: [number, number] | null;
}

export interface AlarmStep {
  id: number;
  kind: string;
  title: Words;
  at: string;
  recorded: string;
  author: string | null;
  reason: string | null;
  value: number | null;
}

export interface AlarmRecord extends StandingAlarm {
  events: AlarmStep[];
  definition: { response?: Words | null; legal_source?: string | null };
}

export interface AlarmStatistics {
  announced: number;
  per_10_min: number;
  peak_10_min: number;
  flood_share: number;
  standing: number;
  unacknowledged: number;
  stale: number;
  shelved: number;
  suppressed: number;
  out_of_service: number;
  by_priority: Partial<Record<Priority, number>>;
  most_frequent: { alarm: number; title: Words; count: number; share: number }[];
  median_acknowledge_s: number | null;
}

/** Return alarms, by default those that stand. */
export const listAlarms = async (query: Record<string, string>): Promise<StandingAlarm[]> =>
  (await request<{ alarms: StandingAlarm[] }>(`/alarms?${new URLSearchParams(query)}`)).alarms;

export const readAlarm = (id: number): Promise<AlarmRecord> => request(`/alarms/${id}`);

export const readStatistics = (start: string, end: string): Promise<AlarmStatistics> =>
  request(`/alarms/statistics?${new URLSearchParams({ start, end })}`);

/** Do something with an alarm: acknowledge, shelve, unshelve, comment. */
export const actOn = (id: number, action: string, body: Record<string, unknown>): Promise<StandingAlarm> =>
  write("POST", `/alarms/${id}/${action}`, body);

/** Order alarms as somebody on duty works through them: what nobody saw, then by priority, the newest first. */
export function byUrgency(a: StandingAlarm, b: StandingAlarm): number {
  const rank = (one: StandingAlarm): number =>
    PRIORITIES.indexOf(one.priority) * 2 + (OPEN.includes(one.state) ? 0 : 1) + (one.active ? 0 : 8);
  return rank(a) - rank(b) || (b.raised ?? "").localeCompare(a.raised ?? "");
}

export const byTime = (a: StandingAlarm, b: StandingAlarm): number => b.since.localeCompare(a.since);
