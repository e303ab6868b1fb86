/** The situation report on paper: each section from the data, with words where there is none. */

import { ALARM_COLORS, alarmLevel } from "../alarm";
import { findRasterLayer, getCity } from "../data";
import { type Child, h } from "../dom";
import { formatDateTime, formatFixed, formatLength, formatNumber, formatShare } from "../format";
import { type Key, say, t } from "../i18n";
import { swatch } from "../panels/parts";
import { formatRasterValue, usefulEntries } from "../raster-words";
import type { WardCounts } from "../types";
import { formatWhen } from "./ages";
import { fanPaper } from "./fan-paper";
import { formatTrend } from "./gauges";
import { type ReportData, sumCounts } from "./report-data";
import { type MapOfRun, sizeOfMap } from "./report-maps";
import { isWet, sortWards } from "./ward-data";
import { wardColumns } from "./ward-list";

export const SECTIONS = [
  "situation",
  "gauges",
  "chart",
  "maps",
  "wards",
  "affected",
  "roads",
  "shelters",
  "warnings",
  "done",
  "limits",
] as const;
export type Section = (typeof SECTIONS)[number];

export interface ReportWords {
  title: string;
  author: string;
  from: Date;
  to: Date;
  exercise: boolean;
  situation: string;
  sections: ReadonlySet<Section>;
}

const MOST_WARDS = 120;
/** Columns of the table of wards that fit on paper: name, probability, first, last, depth, people, buildings, closed roads, health care. */
const WARD_COLUMNS = [0, 1, 2, 4, 5, 6, 7, 9, 10];

const plain = (words: string): HTMLElement => h("p", { class: "report-none" }, words);

function paperTable(headings: string[], rows: Child[][]): HTMLElement {
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

function gaugesSection({ gauges }: ReportData): HTMLElement {
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

function chartSection({ fan, gauge }: ReportData): HTMLElement {
  if (!fan || !gauge) return plain(t("report.noChart"));
  const key = (color: string, words: string, shape = "line"): HTMLElement => h("li", {}, swatch(color, shape), words);
  return h(
    "figure",
    {},
    fanPaper(fan) as unknown as HTMLElement,
    h(
      "ul",
      { class: "report-key" },
      key("#1f6fb2", t("sensors.observed")),
      fan.issue ? key("#7a4fb5", t("desk.median")) : null,
      fan.issue?.tide.some((value) => value !== null) ? key("#6d7f8b", `${t("desk.tide")} (- -)`) : null,
      fan.issue ? key("#c9b9e0", `${t("desk.narrowBand")}, ${t("desk.wideBand")}`, "fill") : null,
    ),
    h(
      "figcaption",
      {},
      gauge.sensor.properties.name,
      fan.issue
        ? `. ${t("sensors.issued", { time: formatDateTime(fan.issue.issue_time) })}`
        : `. ${t("desk.noForecast")}`,
    ),
  );
}

function mapsSection(data: ReportData, maps: readonly MapOfRun[]): HTMLElement {
  if (!data.wards || maps.length === 0) return plain(t("report.noMaps"));
  const { scale } = sizeOfMap();
  const one = ({ layer, url }: MapOfRun): HTMLElement => {
    const raster = findRasterLayer(layer);
    const title = say(raster?.title, layer);
    return h(
      "figure",
      { class: "report-map" },
      h("img", { src: url, alt: title }),
      h("figcaption", {}, h("strong", {}, title), `, 1 : ${formatNumber(Math.round(scale / 1000) * 1000, 0)}`),
      raster
        ? h(
            "ul",
            { class: "report-key" },
            ...usefulEntries(raster).map((entry) =>
              h(
                "li",
                {},
                swatch(entry.color),
                typeof entry.value === "number" ? `≥ ${formatRasterValue(raster, entry.value)}` : say(entry.label),
              ),
            ),
          )
        : null,
    );
  };
  return h("div", { class: "report-maps" }, ...maps.map(one));
}

function wardsSection({ wards }: ReportData): HTMLElement {
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

function affectedSection({ wards }: ReportData): HTMLElement {
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

function roadsSection({ roads, wards }: ReportData): HTMLElement {
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

function sheltersSection({ shelters, wards }: ReportData): HTMLElement {
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

const statusWords = (status: string): string => (status === "Actual" ? t("report.real") : t("report.exercise"));

function warningsSection({ inForce }: ReportData): HTMLElement {
  if (inForce.length === 0) return plain(t("report.noWarnings"));
  return paperTable(
    [t("report.warning"), t("report.mark"), t("report.sent"), t("report.expires")],
    inForce.map((one): Child[] => [
      say(one.headline, one.identifier),
      statusWords(one.status),
      formatWhen(one.sent),
      formatWhen(one.expires),
    ]),
  );
}

function doneSection({ alarms, issued }: ReportData, { from, to }: ReportWords): HTMLElement {
  const within = (moment: string | null | undefined): boolean => {
    const time = Date.parse(moment ?? "");
    return time >= from.getTime() && time <= to.getTime();
  };
  const done = [
    ...alarms
      .filter(({ acknowledged }) => within(acknowledged))
      .map(({ acknowledged, acknowledged_by, title }) => ({
        time: acknowledged as string,
        words: t("report.acknowledged", { title: say(title), author: acknowledged_by ?? "–" }),
      })),
    ...issued
      .filter(({ sent }) => within(sent))
      .map((one) => ({
        time: one.sent,
        words: t("report.issuedWarning", { title: say(one.headline, one.identifier), mark: statusWords(one.status) }),
      })),
  ].sort((a, b) => a.time.localeCompare(b.time));
  if (done.length === 0) return plain(t("report.nothingDone"));
  return paperTable(
    [t("desk.time"), t("report.what")],
    done.map(({ time, words }): Child[] => [formatWhen(time), words]),
  );
}

function limitsSection({ gauge, wards, loop }: ReportData): HTMLElement {
  const run = wards?.run;
  const members = run?.summary?.ensemble?.members.length;
  const lines = [
    gauge?.stream?.phenomenon_time
      ? t("report.dataReading", { time: formatDateTime(gauge.stream.phenomenon_time) })
      : null,
    gauge?.outlook
      ? t("report.dataForecast", { time: formatDateTime(gauge.outlook.issue_time) })
      : t("desk.nothingForecast"),
    run
      ? t("report.dataRun", {
          time: formatDateTime(run.base_time ?? run.created),
          hours: formatNumber(run.horizon_hours ?? 0, 0),
          members: formatNumber(members ?? 0, 0),
        })
      : t("ward.noRun"),
    loop?.late_since ? t("desk.loopLate", { time: formatWhen(loop.late_since) }) : null,
    t("report.limitModel"),
    t("report.limitShare"),
    getCity().synthetic ? t("app.syntheticHint") : null,
    getCity().attribution,
  ];
  return h("ul", {}, ...lines.flatMap((line) => (line ? [h("li", {}, line)] : [])));
}

/** Lay the report out; it flows over as many pages as it needs. */
export function layReport(words: ReportWords, data: ReportData, maps: readonly MapOfRun[]): HTMLElement {
  const build: Record<Section, () => HTMLElement> = {
    situation: () => h("div", {}, ...words.situation.split(/\n+/).map((line) => h("p", {}, line))),
    gauges: () => gaugesSection(data),
    chart: () => chartSection(data),
    maps: () => mapsSection(data, maps),
    wards: () => wardsSection(data),
    affected: () => affectedSection(data),
    roads: () => roadsSection(data),
    shelters: () => sheltersSection(data),
    warnings: () => warningsSection(data),
    done: () => doneSection(data, words),
    limits: () => limitsSection(data),
  };
  const chosen = SECTIONS.filter((section) => words.sections.has(section));
  return h(
    "article",
    { class: "report" },
    h(
      "p",
      { class: words.exercise ? "report-mark report-exercise" : "report-mark" },
      t(words.exercise ? "report.exerciseMark" : "report.realMark"),
    ),
    h("h1", {}, words.title),
    h(
      "p",
      { class: "report-meta" },
      `${say(getCity().title)} · ${t("report.period", { from: formatDateTime(words.from), to: formatDateTime(words.to) })}`,
    ),
    h(
      "p",
      { class: "report-meta" },
      `${words.author ? `${t("report.by", { author: words.author })} · ` : ""}${t("report.made", { time: formatDateTime(data.taken) })}`,
    ),
    ...chosen.map((section, at) =>
      h(
        "section",
        { "data-section": section },
        h("h2", {}, `${at + 1}. ${t(`report.section_${section}`)}`),
        build[section](),
      ),
    ),
  );
}
