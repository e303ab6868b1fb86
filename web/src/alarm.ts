/** The alarm state of a gauge from its newest reading and its three levels. */

import { getCatalog } from "./data";
import type { Datastream, LegendEntry, Sensor } from "./types";

export type AlarmLevel = 0 | 1 | 2 | 3;

export const ALARM_COLORS = ["#2f9e6b", "#e5b100", "#ef7d22", "#d63a3a"] as const;

const STALE_AFTER = 6 * 3600e3;
const FAILED_QUALITY = 4;

/** Return the datastream a sensor is known by: the one that its kind names, else its first. */
export function mainDatastream(sensor: Sensor): Datastream | undefined {
  const { datastreams, kind } = sensor.properties;
  return datastreams.find((stream) => stream.observed_property === kind) ?? datastreams[0];
}

/** Return the highest level that is reached. Readings marked as failed raise no alarm. */
export function alarmLevel(sensor: Sensor): AlarmLevel {
  const stream = mainDatastream(sensor);
  const { alarm_1, alarm_2, alarm_3, kind } = sensor.properties;
  const result = stream?.result;
  if (kind !== "stage" || result === null || result === undefined || stream?.quality === FAILED_QUALITY) return 0;
  const reached = (limit: number | null | undefined): boolean => typeof limit === "number" && result >= limit;
  if (reached(alarm_3)) return 3;
  if (reached(alarm_2)) return 2;
  return reached(alarm_1) ? 1 : 0;
}

export function isStale(stream: Datastream | undefined, now = Date.now()): boolean {
  const time = Date.parse(stream?.phenomenon_time ?? "");
  return Number.isNaN(time) || now - time > STALE_AFTER;
}

/** Return how the catalog names and colours a kind of sensor. */
export function sensorKind(kind: string): LegendEntry | undefined {
  const layer = getCatalog()
    .themes.flatMap((theme) => theme.layers)
    .find((entry) => entry.id === "sensors");
  return layer?.legend.find((entry) => entry.value === kind);
}
