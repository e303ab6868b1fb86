/** Rain that falls and that is forecast, pumps that run, gates that are open: what the works do now. */

import { isStale, mainDatastream } from "../alarm";
import { readObservations } from "../api";
import { sensors } from "../data";
import { type Child, h, replace } from "../dom";
import { formatNumber, formatReading } from "../format";
import { t } from "../i18n";
import { figure, section } from "../panels/parts";
import { longTable } from "../panels/table";
import { setState } from "../state";
import type { Sensor } from "../types";
import { formatWhen } from "./ages";
import { type Issue, type Outlook, readIssue } from "./reading";

/** So many rain gauges are asked for what fell; a city has more only where it is large. */
const MOST_RAIN = 12;
const DAY_HOURS = 24;

const ofKind = (kind: string): Sensor[] => sensors.filter((sensor) => sensor.properties.kind === kind);

const openSensor = (sensor: Sensor): HTMLElement =>
  h(
    "button",
    {
      type: "button",
      class: "link-button",
      onclick: () => setState({ place: null, selection: { layer: "sensors", id: sensor.id } }),
    },
    sensor.properties.name,
  );

/** Millimetres of rain of one gauge: in the last hour, in the last day. */
export interface Fallen {
  sensor: Sensor;
  hour: number;
  day: number;
}

const sum = (values: readonly (number | null)[]): number => values.reduce<number>((all, one) => all + (one ?? 0), 0);

/** Return what fell at the rain gauges, the wettest first. */
export async function readFallen(): Promise<Fallen[]> {
  const end = new Date();
  const start = new Date(end.getTime() - DAY_HOURS * 3600e3);
  const fallen = await Promise.all(
    ofKind("rain")
      .slice(0, MOST_RAIN)
      .flatMap((sensor) => {
        const stream = mainDatastream(sensor);
        if (!stream) return [];
        return readObservations(stream.id, start, end).then(({ times, results }): Fallen => {
          const late = times.findIndex((time) => Date.parse(time) > end.getTime() - 3600e3);
          return { sensor, hour: late < 0 ? 0 : sum(results.slice(late)), day: sum(results) };
        });
      }),
  );
  return fallen.sort((a, b) => b.day - a.day);
}

/** Return the median rain of the next day [mm] of the series with the most, null where no forecast of rain was given. */
export async function readRainToCome(outlooks: readonly Outlook[]): Promise<number | null> {
  const streams = new Set(ofKind("rain").map((sensor) => mainDatastream(sensor)?.id));
  const supplied = outlooks.filter(({ datastream_id }) => streams.has(datastream_id));
  const issues = await Promise.all(supplied.map(({ datastream_id }) => readIssue(datastream_id)));
  const until = Date.now() + DAY_HOURS * 3600e3;
  const totals = issues
    .filter((issue): issue is Issue => issue !== null)
    .map((issue) =>
      sum(
        issue.stage.filter((_, at) => {
          const time = Date.parse(issue.times[at] ?? "");
          return time > Date.now() && time <= until;
        }),
      ),
    );
  return totals.length > 0 ? Math.max(...totals) : null;
}

const millimetres = (value: number): string => `${formatNumber(value, 1)} mm`;

async function fillRain(holder: HTMLElement, outlooks: readonly Outlook[]): Promise<void> {
  if (ofKind("rain").length === 0) {
    replace(holder, h("p", { class: "soft" }, t("desk.noRainGauge")));
    return;
  }
  try {
    const [fallen, coming] = await Promise.all([readFallen(), readRainToCome(outlooks)]);
    const most = (name: "hour" | "day"): number => Math.max(0, ...fallen.map((one) => one[name]));
    const rows = fallen.map((one): Child[] => [openSensor(one.sensor), millimetres(one.hour), millimetres(one.day)]);
    replace(
      holder,
      h(
        "div",
        { class: "figures" },
        figure("drop", t("desk.rainHour"), millimetres(most("hour"))),
        figure("drop", t("desk.rainDay"), millimetres(most("day"))),
        figure("clock", t("desk.rainComing"), coming === null ? "–" : millimetres(coming)),
      ),
      coming === null ? h("p", { class: "soft note" }, t("desk.noRainForecast")) : null,
      h(
        "details",
        { class: "more" },
        h("summary", {}, t("desk.byGauge", { count: formatNumber(rows.length, 0) })),
        longTable([t("desk.gauge"), t("desk.rainHourShort"), t("desk.rainDayShort")], rows),
      ),
    );
  } catch {
    replace(holder, h("p", { class: "soft" }, t("desk.rainFailed")));
  }
}

/** Build the rain of now and of the next day. */
export function rainPart(outlooks: readonly Outlook[]): HTMLElement {
  const holder = h("div", {}, h("p", { class: "soft" }, t("card.loading")));
  void fillRain(holder, outlooks);
  return section(t("desk.rain"), holder);
}

/** How many pumps run and how many gates are open, of those whose state is known. */
export function countWorks(): { pumps: number; running: number; gates: number; open: number; silent: number } {
  const value = (sensor: Sensor): number => mainDatastream(sensor)?.result ?? 0;
  const [pumps, gates] = [ofKind("pump"), ofKind("gate")];
  return {
    pumps: pumps.length,
    running: pumps.filter((sensor) => value(sensor) > 0).length,
    gates: gates.length,
    open: gates.filter((sensor) => value(sensor) > 0).length,
    silent: [...pumps, ...gates].filter((sensor) => isStale(mainDatastream(sensor))).length,
  };
}

/** Build the state of pumps and gates. */
export function pumpsPart(): HTMLElement {
  const { pumps, running, gates, open, silent } = countWorks();
  if (pumps + gates === 0) return section(t("desk.works"), h("p", { class: "soft" }, t("desk.noWorks")));
  const rows = [...ofKind("pump"), ...ofKind("gate")].map((sensor): Child[] => {
    const stream = mainDatastream(sensor);
    return [
      openSensor(sensor),
      formatReading(stream?.result, stream?.unit, sensor.properties.kind),
      formatWhen(stream?.phenomenon_time),
    ];
  });
  const share = (part: number, whole: number): string => `${formatNumber(part, 0)} / ${formatNumber(whole, 0)}`;
  return section(
    t("desk.works"),
    h(
      "div",
      { class: "figures" },
      pumps > 0 ? figure("bolt", t("desk.pumpsRunning"), share(running, pumps)) : null,
      gates > 0 ? figure("sign", t("desk.gatesOpen"), share(open, gates)) : null,
    ),
    silent > 0 ? h("p", { class: "desk-shout" }, t("desk.worksSilent", { count: formatNumber(silent, 0) })) : null,
    h(
      "details",
      { class: "more" },
      h("summary", {}, t("desk.byWork", { count: formatNumber(rows.length, 0) })),
      longTable([t("desk.work"), t("desk.state"), t("desk.time")], rows),
    ),
  );
}
