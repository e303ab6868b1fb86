/** How well the alarms serve: the measures of ANSI/ISA-18.2 over a span of time. */

import { toIso } from "../api";
import { type Child, h, replace } from "../dom";
import { formatFixed, formatNumber, formatShare } from "../format";
import { say, t } from "../i18n";
import { failure, figure, loading, section, select } from "../panels/parts";
import { longTable, table } from "../panels/table";
import type { Part } from "../panels/tools";
import { type AlarmStatistics, PRIORITIES, readStatistics } from "./api";

const HOURS = [1, 8, 24, 168, 720];

/** What an operator can handle, after ISA-18.2. */
const HOURLY = { good: 6, most: 12 };

function build(found: AlarmStatistics): HTMLElement {
  const hourly = found.per_10_min * 6;
  const verdict = hourly <= HOURLY.good ? "good" : hourly <= HOURLY.most ? "watch" : "bad";
  const rows = found.most_frequent.map((one): Child[] => [
    say(one.title),
    formatNumber(one.count, 0),
    formatShare(one.share),
  ]);
  return h(
    "div",
    {},
    h(
      "div",
      { class: "figures" },
      figure("bell", t("alarms.announced"), formatNumber(found.announced, 0)),
      figure("clock", t("alarms.hourly"), formatFixed(hourly, 1)),
      figure("warning", t("alarms.peak"), formatNumber(found.peak_10_min, 0)),
      figure(
        "people",
        t("alarms.reaction"),
        found.median_acknowledge_s === null
          ? "–"
          : t("alarms.minutes", { minutes: formatNumber(found.median_acknowledge_s / 60, 1) }),
      ),
    ),
    h("p", { class: `alarm-verdict state-${verdict}` }, t(`alarms.load_${verdict}`)),
    section(
      t("alarms.present"),
      table(
        [t("alarms.what"), t("alarms.number")],
        [
          [t("alarms.state_standing"), formatNumber(found.standing, 0)],
          [t("alarms.open"), formatNumber(found.unacknowledged, 0)],
          [t("alarms.stale"), formatNumber(found.stale, 0)],
          [t("alarms.state_SHELVED"), formatNumber(found.shelved, 0)],
          [t("alarms.state_SUPPRESSED"), formatNumber(found.suppressed, 0)],
          [t("alarms.state_OUT_OF_SERVICE"), formatNumber(found.out_of_service, 0)],
          [t("alarms.floodShare"), formatShare(found.flood_share)],
        ],
      ),
    ),
    section(
      t("alarms.byPriority"),
      table(
        [t("alarms.by_priority"), t("alarms.number")],
        PRIORITIES.map((one): Child[] => [t(`alarms.priority_${one}`), formatNumber(found.by_priority[one] ?? 0, 0)]),
      ),
    ),
    rows.length > 0
      ? section(t("alarms.frequent"), longTable([t("alarms.what"), t("alarms.number"), t("alarms.share")], rows))
      : null,
  );
}

/** Build the part. */
export function statisticsPart(): Part {
  const holder = h("div", {});
  const fields = h("div", {});
  const element = h("div", { class: "alarms" }, fields, holder);
  let hours = 24;
  let asked = 0;
  const load = async (): Promise<void> => {
    const ticket = ++asked;
    replace(holder, loading());
    const end = new Date();
    try {
      const found = await readStatistics(toIso(new Date(end.getTime() - hours * 3600e3)), toIso(end));
      if (ticket === asked) replace(holder, build(found));
    } catch (error) {
      if (ticket === asked)
        replace(
          holder,
          failure(error, () => void load()),
        );
    }
  };
  const show = (): void => {
    const span = select(
      t("alarms.span"),
      HOURS.map((value) => ({
        value: String(value),
        label: value < 48 ? t("alarms.lastHours", { hours: value }) : t("alarms.lastDays", { days: value / 24 }),
      })),
      String(hours),
      (value) => {
        hours = Number(value);
        void load();
      },
    );
    replace(fields, h("label", { class: "field" }, h("span", { class: "field-label" }, t("alarms.span")), span));
    void load();
  };
  return { element, show };
}
