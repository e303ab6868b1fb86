/** Where do we stand and what comes: one screen for the person on duty. */

import { getCatalog, onData, refreshSensors, sensors, sensorsError } from "../data";
import { type Child, h, replace } from "../dom";
import { formatNumber, formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { empty, failure, loading, section, select, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, setState, watch } from "../state";
import { ageOf, formatAge, isOld } from "./ages";
import { drawFan, fanTable, readFan } from "./fan";
import { deskGauge } from "./gauge-choice";
import { alarmBadge, type Gauge, gaugeCard, gaugeTable, listGauges } from "./gauges";
import {
  type Loop,
  type Outlook,
  readLoop,
  readOutlooks,
  readSkill,
  readStandingAlarms,
  type StandingAlarm,
} from "./reading";
import { comingLevel, saySituation, standingLevel } from "./situation";
import { skillPart } from "./skill";
import { pumpsPart, rainPart } from "./works-now";

const REFRESH_MS = 60_000;
const MOST_ALARMS = 5;

interface Known {
  outlooks: Outlook[];
  loop: Loop | null;
  alarms: StandingAlarm[];
}

/** Return the gauge that is looked at. */
export function chooseGauge(gauges: readonly Gauge[], wanted: string | null): Gauge | undefined {
  const main = getCatalog().city.main_gauge;
  return (
    gauges.find(({ sensor }) => sensor.id === wanted) ??
    gauges.find(({ sensor }) => sensor.id === main) ??
    gauges.find(({ outlook }) => outlook) ??
    gauges[0]
  );
}

/** Say how old the forecast is; an old one shouts. */
function freshness(gauge: Gauge, loop: Loop | null): Child[] {
  const issued = gauge.outlook?.issue_time;
  const age = ageOf(issued);
  const lines: Child[] = [];
  if (age === null) lines.push(h("p", { class: "desk-shout" }, t("desk.noForecast")));
  else
    lines.push(
      h(
        "p",
        { class: isOld(issued) ? "desk-shout" : "soft note" },
        t(isOld(issued) ? "desk.oldForecast" : "desk.issued", {
          time: formatShortDateTime(issued),
          age: formatAge(age),
        }),
      ),
    );
  if (loop?.late_since)
    lines.push(h("p", { class: "desk-shout" }, t("desk.loopLate", { time: formatShortDateTime(loop.late_since) })));
  return lines;
}

function alarmsPart(alarms: readonly StandingAlarm[]): HTMLElement {
  const open = textButton(t("desk.allAlarms"), () => setState({ tab: "alarms" }), "button-small");
  if (alarms.length === 0) return section(t("desk.alarms"), h("p", { class: "soft" }, t("desk.noAlarms")), open);
  return section(
    t("desk.alarms"),
    h(
      "ul",
      { class: "desk-alarms" },
      ...alarms
        .slice(0, MOST_ALARMS)
        .map((alarm) =>
          h(
            "li",
            {},
            h("span", {}, say(alarm.title)),
            h("span", { class: "soft note" }, `${say(alarm.state_title)} · ${formatShortDateTime(alarm.since)}`),
          ),
        ),
    ),
    alarms.length > MOST_ALARMS
      ? h("p", { class: "soft note" }, t("desk.moreAlarms", { count: formatNumber(alarms.length - MOST_ALARMS, 0) }))
      : null,
    open,
  );
}

/** Build the part; it reads the forecasts again every minute while it is on the screen. */
export function nowPart(): Part {
  const head = h("div", { class: "desk-head" });
  const chooser = h("div");
  const card = h("div");
  const fresh = h("div", { role: "status" });
  const fan = h("div", { class: "chart", "data-chart": "fan" });
  const numbers = h("div");
  const skill = h("div");
  const table = h("div");
  const rain = h("div");
  const rest = h("div");
  const element = h("div", {}, h("p", { class: "message" }));
  let known: Known | null = null;
  let timer = 0;
  let asked = 0;
  let drawn = "";
  let said = "";

  const body = [head, chooser, card, fresh, fan, numbers, h("div", { "data-part": "skill" }, skill), table, rain, rest];

  const showFan = async (gauge: Gauge): Promise<void> => {
    const stream = gauge.stream;
    if (!stream) {
      replace(fan, empty(t("sensors.noReading")));
      return;
    }
    const ticket = ++asked;
    if (!fan.querySelector(".uplot")) replace(fan, loading());
    try {
      const read = await readFan(gauge.sensor, stream.id);
      if (ticket !== asked) return;
      if (read.past.times.length === 0 && !read.issue) {
        replace(fan, empty(t("sensors.noData")));
        replace(numbers);
        return;
      }
      await drawFan(fan, read);
      const details = h("details", { class: "more" }, h("summary", {}, t("desk.asNumbers")));
      details.addEventListener("toggle", () => {
        if (details.open && details.childElementCount === 1) details.append(fanTable(read) ?? "");
      });
      replace(numbers, read.issue ? details : null);
    } catch (error) {
      if (ticket !== asked) return;
      replace(
        fan,
        failure(error, () => void showFan(gauge)),
      );
    }
  };

  const showSkill = async (gauge: Gauge): Promise<void> => {
    const outlook = gauge.outlook;
    if (!outlook) {
      replace(skill);
      return;
    }
    try {
      const found = await readSkill(outlook.datastream_id);
      replace(skill, section(t("desk.skill"), skillPart(found, outlook)));
    } catch (error) {
      replace(
        skill,
        section(
          t("desk.skill"),
          failure(error, () => void showSkill(gauge)),
        ),
      );
    }
  };

  /** What the figures are made of; readings of other sensors change none of them. */
  const describe = (): string =>
    JSON.stringify([
      getState().lang,
      Math.floor(Date.now() / REFRESH_MS),
      listGauges(known?.outlooks ?? []).map(({ stream }) => [stream?.result, stream?.phenomenon_time]),
    ]);

  /** What changes with every reading: figures and words, not the chart. */
  const showFigures = (): Gauge | undefined => {
    if (!known) return undefined;
    said = describe();
    const gauges = listGauges(known.outlooks);
    const gauge = chooseGauge(gauges, deskGauge.get());
    if (!gauge) {
      replace(element, empty(h("strong", {}, t("desk.noGauges")), h("p", {}, t("desk.noGaugesHint"))));
      return undefined;
    }
    if (!element.contains(head)) replace(element, ...body);
    const [standing, coming] = [standingLevel(gauges), comingLevel(gauges)];
    replace(
      head,
      h(
        "dl",
        { class: "desk-badges" },
        h("div", {}, h("dt", {}, t("desk.nowWord")), h("dd", {}, alarmBadge(standing))),
        h("div", {}, h("dt", {}, t("desk.soonWord")), h("dd", {}, alarmBadge(coming))),
      ),
      ...saySituation(gauges).map((line) => h("p", {}, line)),
      h(
        "p",
        { class: "row" },
        textButton(t("desk.toWards"), () => setState({ desk: "wards" }), "button-small"),
        textButton(t("desk.toReport"), () => setState({ desk: "report" }), "button-small"),
      ),
    );
    const choices = gauges.map(({ sensor }) => ({ value: sensor.id, label: sensor.properties.name }));
    if (!chooser.contains(document.activeElement))
      replace(
        chooser,
        select(t("desk.gauge"), choices, gauge.sensor.id, (id) => deskGauge.set(id)),
      );
    replace(card, gaugeCard(gauge));
    const words = h("div", {}, ...freshness(gauge, known.loop));
    // A reader of screens hears it when it changes, not every minute.
    if (words.textContent !== fresh.textContent) replace(fresh, words);
    const focused = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>("[data-gauge]")?.dataset[
      "gauge"
    ];
    replace(
      table,
      section(
        t("desk.gauges"),
        gaugeTable(gauges, gauge.sensor.id, (id) => deskGauge.set(id)),
      ),
    );
    if (focused) table.querySelector<HTMLElement>(`[data-gauge="${CSS.escape(focused)}"] button`)?.focus();
    return gauge;
  };

  const show = (): void => {
    const gauge = showFigures();
    if (!gauge || !known) return;
    // What somebody has opened or stands on is left as it is.
    const { lang } = getState();
    const held = rest.contains(document.activeElement) || rest.querySelector("details[open]");
    if (!held || rest.lang !== lang) {
      rest.lang = lang;
      replace(rest, pumpsPart(), alarmsPart(known.alarms));
    }
    const key = `${gauge.sensor.id} ${gauge.outlook?.issue_time} ${getState().lang}`;
    if (key === drawn) return;
    drawn = key;
    void showFan(gauge);
    void showSkill(gauge);
    replace(rain, rainPart(known.outlooks));
  };

  const load = async (): Promise<void> => {
    try {
      const [outlooks, loop, alarms] = await Promise.all([readOutlooks(), readLoop(), readStandingAlarms()]);
      known = { outlooks, loop, alarms };
      show();
    } catch (error) {
      if (known) {
        replace(
          fresh,
          failure(error, () => void load()),
        );
        return;
      }
      replace(
        element,
        failure(error, () => void load()),
      );
    }
  };

  onData("sensors", () => {
    if (timer && describe() !== said) showFigures();
  });
  deskGauge.watch(() => show());
  watch(["lang"], () => {
    if (timer) show();
  });
  replace(element, loading());
  return {
    element,
    show: () => {
      if (sensorsError && sensors.length === 0) void refreshSensors();
      drawn = "";
      void load();
      clearInterval(timer);
      timer = window.setInterval(() => {
        if (!document.hidden && getState().tab === "flood") void load();
      }, REFRESH_MS);
    },
    hide: () => {
      clearInterval(timer);
      timer = 0;
    },
  };
}
