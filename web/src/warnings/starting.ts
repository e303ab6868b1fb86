/** What a new message starts with: the highest gauge over its levels, what it reads, the wards that the flood shown wets. */

import { alarmLevel, mainDatastream } from "../alarm";
import { toIso } from "../api";
import { getCity, run, sensors } from "../data";
import type { Sensor } from "../types";
import type { OwnWords, Status, Warning } from "./api";
import { floodedWards, type Ward } from "./wards";

/** Half of the members of a forecast pass its median. */
const EVEN = 0.5;
const VALID_MS = 6 * 3600e3;

const noWords = (): OwnWords => ({ headline: "", description: "", instruction: "" });

const findGauge = (id: string): Sensor | undefined => sensors.find((sensor) => sensor.id === id);

export const knowsGauge = (warning: Warning): boolean => findGauge(warning.station.id) !== undefined;

/** Take the limit of the level, and with `reading` what the gauge reads now, into the message. */
export function readGauge(warning: Warning, reading: boolean): void {
  const gauge = findGauge(warning.station.id);
  if (!gauge) return;
  const { alarm_1, alarm_2, alarm_3 } = gauge.properties;
  warning.threshold = [alarm_1, alarm_2, alarm_3][Math.min(warning.level, 3) - 1] ?? null;
  if (!reading) return;
  const stream = mainDatastream(gauge);
  warning.stage = typeof stream?.result === "number" ? Math.round(stream.result * 1000) / 1000 : null;
  warning.at = stream?.phenomenon_time ?? null;
}

/** Return a message to begin with. */
export function startWarning(status: Status, wards: readonly Ward[]): Warning {
  const gauges = sensors.filter(({ properties }) => properties.kind === "stage");
  const highest = [...gauges].sort((a, b) => alarmLevel(b) - alarmLevel(a))[0];
  const main = gauges.find(({ id }) => id === getCity().main_gauge) ?? gauges[0];
  const gauge = highest && alarmLevel(highest) > 0 ? highest : main;
  const known = new Set(wards.map(({ code }) => code));
  const warning: Warning = {
    level: Math.max(gauge ? alarmLevel(gauge) : 0, 1),
    station: { id: gauge?.id ?? getCity().id, name: gauge?.properties.name ?? getCity().title.vi },
    wards: floodedWards()
      .map(({ code }) => code)
      .filter((code) => known.has(code)),
    expires: toIso(new Date(Date.now() + VALID_MS)),
    status,
    stage: null,
    threshold: null,
    at: null,
    onset: null,
    probability: null,
    alarms: [],
    note: "",
    vi: noWords(),
    en: noWords(),
    contact: "",
  };
  readGauge(warning, true);
  if (gauge && alarmLevel(gauge) === 0) expectPeak(warning, gauge);
  return warning;
}

/** Where the gauge is below its levels, the message is about the peak that the flood shown expects. */
function expectPeak(warning: Warning, gauge: Sensor): void {
  const { peak_stage: peak, peak_time: at } = run?.summary ?? {};
  const ofGauge = gauge.properties.datastreams.some(({ id }) => id === run?.stage_forecast?.datastream_id);
  if (!ofGauge || typeof peak !== "number" || Date.parse(at ?? "") < Date.now()) return;
  const { alarm_1, alarm_2, alarm_3 } = gauge.properties;
  const reached = [alarm_1, alarm_2, alarm_3].filter((limit) => typeof limit === "number" && peak >= limit).length;
  warning.level = Math.max(reached, 1);
  warning.probability = EVEN;
  readGauge(warning, false);
  warning.stage = Math.round(peak * 1000) / 1000;
  warning.at = at ?? null;
}
