/** Tables of the situation report: gauges, wards, what is affected, roads, shelters. */

import { ALARM_COLORS, alarmLevel } from "../alarm";
import { type Child, h } from "../dom";
import { formatFixed, formatLength, formatNumber, formatShare } from "../format";
import { type Key, t } from "../i18n";
import { swatch } from "../panels/parts";
import type { WardCounts } from "../types";
import { formatWhen } from "./ages";
import { formatTrend } from "./gauges";
import { type ReportData, sumCounts } from "./report-data";
import { isWet, sortWards } from "./ward-data";
import { wardColumns } from "./ward-list";

const MOST_WARDS = 120;
/** Columns of the table of wards that fit on paper: name, probability, first, last, depth, people, buildings, closed roads, health care. */
const WARD_COLUMNS = [0, 1, 2, 4, 5, 6, 7, 9, 10];

/** Say that there is nothing to show. */
export const plain = (words: string): HTMLElement => h("p", { class: "report-none" }, words);

/** Build a table for paper; the first cell of a row names it. */
export function paperTable(headings: string[], rows: Child[][]): HTMLElement {
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...headings.map((heading) => h("th", { scope: "col" }, heading)))),
    h(
      "tbody",
      {},
      ...rows.map((row) =>
        h("tr", {}, ...row.map((cell, at) => h(at === 0 ? "th" : "td", at === 0 ? { scope: "row" } : {}, cell))),
      ),
    ),
  );
}

/** Gauges: what they measure, the next high water, how likely each level is passed. */
export function gaugesSection({ gauges }: ReportData): HTMLElement {
  if (gauges.length === 0) return plain(t("desk.noGauges"));
  const level = (value: 0 | 1 | 2 | 3): HTMLElement =>
    h("span", { class: "coloured" }, swatch(ALARM_COLORS[value], "circle"), t(`alarm.${value}` as Key));
  const chance = (outlook: ReportData["outlooks"][number] | undefined, which: 1 | 2 | 3): string =>
    formatShare(outlook?.alarms?.find((one) => one.level === which)?.probability);
  const rows = gauges.map(({ sensor, stream, outlook }): Child[] => [
    sensor.properties.name,
    typeof stream?.result === "number" ? formatFixed(stream.result, 2) : "–",
    formatWhen(stream?.phenomenon_time),
    formatTrend(outlook?.trend),
    level(alarmLevel(sensor)),
    outlook?.next_high ? `${formatFixed(outlook.next_high.stage, 2)} (${formatWhen(outlook.next_high.time)})` : "–",
    chance(outlook, 1),
    chance(outlook, 2),
    chance(outlook, 3),
  ]);
  const headings = [
    t("desk.gauge"),
    t("report.now"),
    t("desk.time"),
    t("report.trend"),
    t("report.level"),
    t("report.next"),
    t("report.chance", { level: "I" }),
    t("report.chance", { level: "II" }),
    t("report.chance", { level: "III" }),
  ];
  return paperTable(headings, rows);
}

/** Wards that may flood, those that water reaches first at the top. */
export function wardsSection({ wards }: ReportData): HTMLElement {
  if (!wards) return plain(t("ward.noRun"));
  if (wards.wards.length === 0) return plain(t("ward.noWards"));
  const wet = sortWards(wards.wards.filter(isWet), "first");
  const dry = wards.wards.length - wet.length;
  if (wet.length === 0) return plain(t("ward.allDry", { count: formatNumber(wards.wards.length, 0) }));
  const columns = WARD_COLUMNS.flatMap((place) => wardColumns()[place] ?? []);
  return h(
    "div",
    {},
    paperTable(
      columns.map(({ title }) => title),
      wet.slice(0, MOST_WARDS).map((ward) => columns.map(({ write }) => write(ward))),
    ),
    h("p", { class: "report-note" }, t("ward.tableHint")),
    dry > 0 ? h("p", { class: "report-note" }, t("ward.dryWards", { count: formatNumber(dry, 0) })) : null,
  );
}

/** Whom and what the likely and the high flood touch in the whole city. */
export function affectedSection({ wards }: ReportData): HTMLElement {
  if (!wards || wards.wards.length === 0) return plain(t("ward.noWards"));
  const [likely, possible] = [sumCounts(wards, "likely"), sumCounts(wards, "possible")];
  const count =
    (name: keyof Omit<WardCounts, "depth_class">) =>
    (counts: WardCounts): string =>
      formatNumber(counts[name], 0);
  const rows: [string, (counts: WardCounts) => string][] = [
    [t("impact.people"), count("people")],
    [t("impact.buildings"), count("buildings")],
    [t("impact.roads"), (counts) => formatLength(counts.road_length)],
    [t("impact.closed"), (counts) => formatLength(counts.closed_road_length)],
    [t("ward.hospitalsShort"), count("hospitals")],
    [t("ward.schoolsShort"), count("schools")],
    [t("impact.places"), count("places")],
    [t("ward.cabinetsShort"), count("cabinets")],
    [t("impact.pumps"), count("pumps")],
    [t("impact.depth"), (counts) => `${formatFixed(counts.depth_max, 2)} m`],
  ];
  return h(
    "div",
    {},
    paperTable(
      [t("ward.what"), t("ward.likely"), t("ward.possible")],
      rows.map(([title, write]): Child[] => [title, write(likely), write(possible)]),
    ),
    h("p", { class: "report-note" }, t("ward.twoFloods")),
  );
}

/** Roads that are closed by water, the deepest first. */
export function roadsSection({ roads, wards }: ReportData): HTMLElement {
  if (!wards) return plain(t("ward.noRun"));
  if (roads.length === 0) return plain(t("report.noRoads"));
  const names = new Map(wards.wards.map((ward) => [ward.ward_code, ward.ward_name]));
  const rows = roads.map(({ properties }): Child[] => [
    String(properties["asset_name"] ?? properties["asset_id"]),
    names.get(String(properties["ward_code"])) ?? "–",
    formatFixed(Number(properties["depth_max"]), 2),
    formatWhen(properties["arrival"] ? String(properties["arrival"]) : null),
  ]);
  const closed = wards.run.summary?.closed_roads;
  return h(
    "div",
    {},
    closed
      ? h("p", {}, t("report.closed", { count: formatNumber(closed.count, 0), length: formatLength(closed.length) }))
      : null,
    paperTable([t("report.road"), t("ward.name"), t("ward.depth"), t("impact.arrival")], rows),
    closed && closed.count > roads.length
      ? h("p", { class: "report-note" }, t("report.deepest", { count: formatNumber(roads.length, 0) }))
      : null,
  );
}

/** Places of shelter and the water there. */
export function sheltersSection({ shelters, wards }: ReportData): HTMLElement {
  if (shelters.length === 0) return plain(t("report.noShelters"));
  return paperTable(
    [t("report.shelter"), t("report.address"), t("report.shelterWater")],
    shelters.map(({ name, address, depth }): Child[] => [
      name,
      address ?? "–",
      !wards ? t("report.unknown") : depth === null ? t("ward.dryShort") : `${formatFixed(depth, 2)} m`,
    ]),
  );
}
