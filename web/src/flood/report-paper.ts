/** The situation report on paper: each section from the data, with words where there is none. */

import { findRasterLayer, getCity } from "../data";
import { type Child, h } from "../dom";
import { formatDateTime, formatNumber } from "../format";
import { say, t } from "../i18n";
import { swatch } from "../panels/parts";
import { formatRasterValue, usefulEntries } from "../raster-words";
import { formatWhen } from "./ages";
import { fanPaper } from "./fan-paper";
import type { ReportData } from "./report-data";
import { type MapOfRun, sizeOfMap } from "./report-maps";
import {
  affectedSection,
  gaugesSection,
  paperTable,
  plain,
  roadsSection,
  sheltersSection,
  wardsSection,
} from "./report-tables";

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
