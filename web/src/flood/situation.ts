/** Where we stand and what comes, in sentences made from the data: the head of the desk and of the report. */

import { alarmLevel } from "../alarm";
import { formatFixed, formatShare, formatShortDateTime } from "../format";
import { type Key, t } from "../i18n";
import { formatTrend, type Gauge, likelyLevel } from "./gauges";

/** A probability below this is not worth a sentence. */
const WORTH_SAYING = 0.05;

/** Return the highest alarm level that stands at any gauge now. */
export const standingLevel = (gauges: readonly Gauge[]): 0 | 1 | 2 | 3 =>
  gauges.reduce<0 | 1 | 2 | 3>((highest, { sensor }) => {
    const level = alarmLevel(sensor);
    return level > highest ? level : highest;
  }, 0);

/** Return the highest level that is as likely passed as not at any gauge. */
export const comingLevel = (gauges: readonly Gauge[]): 0 | 1 | 2 | 3 =>
  gauges.reduce<0 | 1 | 2 | 3>((highest, { outlook }) => {
    const level = likelyLevel(outlook)?.level ?? 0;
    return level > highest ? level : highest;
  }, 0);

const namesOf = (gauges: readonly Gauge[]): string => {
  const names = gauges.map(({ sensor }) => sensor.properties.name);
  return names.length <= 3
    ? names.join(", ")
    : t("desk.andMore", { names: names.slice(0, 3).join(", "), count: names.length - 3 });
};

/** Say which levels stand now. */
function sayStanding(gauges: readonly Gauge[]): string {
  const level = standingLevel(gauges);
  if (level === 0) return t("desk.noneOver");
  const over = gauges.filter(({ sensor }) => alarmLevel(sensor) === level);
  return t("desk.standing", { level: t(`alarm.${level}` as Key), names: namesOf(over) });
}

/** Say which level is likely to be passed, where and from when; or how unlikely the first one is. */
function sayComing(gauges: readonly Gauge[]): string {
  const forecast = gauges.filter(({ outlook }) => outlook?.alarms?.length);
  if (forecast.length === 0) return t("desk.nothingForecast");
  const level = comingLevel(gauges);
  if (level === 0) {
    const highest = Math.max(...forecast.map(({ outlook }) => outlook?.alarms?.[0]?.probability ?? 0));
    return highest >= WORTH_SAYING ? t("desk.unlikely", { share: formatShare(highest) }) : t("desk.quiet");
  }
  const there = forecast.filter(({ outlook }) => likelyLevel(outlook)?.level === level);
  const of = (gauge: Gauge) => gauge.outlook?.alarms?.find((one) => one.level === level);
  const highest = Math.max(...there.map((gauge) => of(gauge)?.probability ?? 0));
  const first = there
    .map((gauge) => of(gauge)?.first_time)
    .filter((time): time is string => typeof time === "string")
    .sort()[0];
  const words = { level: t(`alarm.${level}` as Key), names: namesOf(there), share: formatShare(highest) };
  return first ? t("desk.comingFrom", { ...words, time: formatShortDateTime(first) }) : t("desk.coming", words);
}

/** Say what one gauge measures and its next high water. */
export function sayGauge({ sensor, stream, outlook }: Gauge): string | null {
  if (typeof stream?.result !== "number") return null;
  const next = outlook?.next_high;
  const now = t("desk.gaugeSaid", {
    name: sensor.properties.name,
    stage: formatFixed(stream.result, 2),
    time: formatShortDateTime(stream.phenomenon_time),
    trend: formatTrend(outlook?.trend).replace(/^[▲▼→] /, ""),
  });
  if (!next) return now;
  return `${now} ${t("desk.nextSaid", {
    stage: formatFixed(next.stage, 2),
    lower: formatFixed(next.lower, 2),
    upper: formatFixed(next.upper, 2),
    time: formatShortDateTime(next.time),
  })}`;
}

/** Say in sentences where the gauges stand and what comes. */
export const saySituation = (gauges: readonly Gauge[]): string[] => [sayStanding(gauges), sayComing(gauges)];
