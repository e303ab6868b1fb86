/** What an ensemble says: the counts to expect, those exceeded with a probability, and each member. */

import { type Child, h } from "../dom";
import { formatArea, formatFixed, formatLength, formatNumber, formatShare } from "../format";
import { t } from "../i18n";
import type { Ensemble, EnsembleMember, FloodFigures } from "../types";
import { csvText, saveText } from "./csv";
import { section, textButton } from "./parts";
import { table } from "./table";

const COUNTS: [() => string, (row: FloodFigures) => string][] = [
  [() => t("impact.area"), (row) => formatArea(row.flooded_area)],
  [() => t("impact.people"), (row) => formatNumber(row.people, 0)],
  [() => t("impact.buildings"), (row) => formatNumber(row.buildings, 0)],
  [() => t("impact.roads"), (row) => formatLength(row.road_length)],
  [() => t("impact.closed"), (row) => formatLength(row.closed_road_length)],
  [() => t("impact.depth"), (row) => `${formatFixed(row.depth_max, 2)} m`],
];

function membersTable(members: EnsembleMember[]): HTMLElement {
  const rows = members.map((row): Child[] => [
    formatNumber(row.member, 0),
    `${formatFixed(row.peak_stage, 2)} m`,
    row.rain_factor === null ? "–" : `× ${formatFixed(row.rain_factor, 2)}`,
    formatArea(row.flooded_area),
    formatNumber(row.people, 0),
    formatLength(row.closed_road_length),
    row.stopped_pumps.join(", ") || "–",
  ]);
  const headings = [
    t("ensemble.member"),
    t("flood.peakStage"),
    t("ensemble.rain"),
    t("impact.area"),
    t("impact.people"),
    t("impact.closed"),
    t("ensemble.pumps"),
  ];
  return table(headings, rows);
}

/** Build the part of a run that is an ensemble. */
export function ensemblePart(id: string, ensemble: Ensemble): HTMLElement {
  const headings = [
    t("ensemble.count"),
    t("ensemble.expected"),
    ...ensemble.exceeded.map((row) => t("ensemble.exceeded", { share: formatShare(row.probability) })),
  ];
  const rows = COUNTS.map(([title, write]): Child[] => [
    title(),
    write(ensemble.expected),
    ...ensemble.exceeded.map(write),
  ]);
  const save = (): void => {
    const columns = Object.keys(ensemble.members[0] ?? {}) as (keyof EnsembleMember)[];
    const lines = ensemble.members.map((row) => columns.map((column) => row[column]));
    saveText(`${id}-members.csv`, csvText([columns, ...lines]));
  };
  return section(
    t("ensemble.title"),
    table(headings, rows),
    h("p", { class: "soft note" }, t("ensemble.explain", { count: formatNumber(ensemble.members.length, 0) })),
    h(
      "details",
      { class: "more" },
      h("summary", {}, t("ensemble.members", { count: formatNumber(ensemble.members.length, 0) })),
      membersTable(ensemble.members),
      textButton(t("impact.download"), save, "button-small", "download"),
    ),
  );
}
