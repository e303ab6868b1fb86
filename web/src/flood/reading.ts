/** What the flood desk asks the server: forecasts of gauges, how good they were, the loop, alarms, warnings. */

import { orNone, request } from "../api";
import type { Words } from "../types";

/** A stage [m] at a time, and the band that holds it in eight of ten cases. */
export interface High {
  time: string;
  stage: number;
  lower: number;
  upper: number;
}

/** How likely an alarm level is passed within the forecast; `first_time` is null where nobody is warned. */
export interface LevelOutlook {
  level: 1 | 2 | 3;
  stage: number;
  probability: number;
  warned: boolean;
  first_time: string | null;
}

/** The newest forecast of a series in short; what only gauges have is absent elsewhere. */
export interface Outlook {
  datastream_id: string;
  issue_time: string;
  origin: string;
  model: string;
  parameters: { why?: string };
  skill: Record<string, { rmse?: number }>;
  peak: High;
  sensor_id?: string;
  name?: string;
  alarms?: LevelOutlook[];
  next_high?: High | null;
  trend?: number | null;
}

/** One issue with its values; `quantiles` has a row a time, a column a level. */
export interface Issue {
  datastream_id: string;
  issue_time: string;
  origin: string;
  times: string[];
  stage: number[];
  tide: (number | null)[];
  levels: number[];
  quantiles: number[][];
}

/** Scores of what was issued some hours ahead [m]. */
export interface LeadSkill {
  lead_hours: number;
  count: number;
  rmse: number;
  bias: number;
  inside: number;
  rmse_persistence: number | null;
  warned: { hits: number; misses: number; false_alarms: number } | null;
}

export interface Skill {
  start: string;
  end: string;
  leads: LeadSkill[];
  crossings: number;
  first_right_hours: number | null;
}

export interface Loop {
  newest_run: string | null;
  late_since: string | null;
  skipped_why: string | null;
  last_finished: string | null;
}

export interface StandingAlarm {
  id: number;
  title: Words;
  event: string;
  priority_title: Words;
  state: string;
  state_title: Words;
  since: string;
  raised: string | null;
  active: boolean;
  acknowledged: string | null;
  acknowledged_by: string | null;
}

export interface IssuedWarning {
  identifier: string;
  status: string;
  sent: string;
  headline?: Words | string;
  event?: Words | string;
  severity?: string;
  expires?: string;
}

const part = encodeURIComponent;

/** Return the newest forecast of every series. */
export const readOutlooks = async (): Promise<Outlook[]> =>
  (await request<{ forecasts: Outlook[] }>("/forecasts")).forecasts;

/** Return the newest issue of a series, or null where it has none. */
export const readIssue = (datastream: string): Promise<Issue | null> =>
  orNone(request<Issue>(`/forecasts/${part(datastream)}/issues/latest`));

/** Return how good the issues of the last 30 days were, or null where there are none. */
export const readSkill = (datastream: string): Promise<Skill | null> =>
  orNone(request<Skill>(`/forecasts/${part(datastream)}/skill`));

/** Return how the loop from readings to floods stands; one that never turned has neither times nor wards. */
export const readLoop = (): Promise<Loop> => request("/forecasts/loop");

/** Return the alarms that stand. */
export const readStandingAlarms = async (): Promise<StandingAlarm[]> =>
  (await request<{ alarms: StandingAlarm[] }>("/alarms?limit=100")).alarms;

/** Return the alarms that somebody acknowledged or that went over, the newest first. */
export const readAllAlarms = async (): Promise<StandingAlarm[]> =>
  (await request<{ alarms: StandingAlarm[] }>("/alarms?state=all&limit=200")).alarms;

/** Return warnings in short: those in force, or all that were issued lately. */
export const readWarnings = async (inForce: boolean): Promise<IssuedWarning[]> =>
  (await request<{ alerts: IssuedWarning[] }>(`/cap/alerts.json?limit=50${inForce ? "&in_force=true" : ""}`)).alerts;
