/** The table of a comparison: every measure in every event and climate, what it saves, what floods cost a year. */

import { type Child, h } from "../dom";
import { formatArea, formatLength, formatMoney, formatNumber, formatShare } from "../format";
import { t } from "../i18n";
import type { CaseKey, ComparedCase, Comparison } from "../types";
import { csvText, saveText } from "./csv";
import { section, textButton } from "./parts";
import { table } from "./table";

const NO_MEASURE = "none";
const NO_CLIMATE = "today";
const NO_EVENT = "base";

const measureTitle = (name: string): string => (name === NO_MEASURE ? t("comparison.none") : name);
const climateTitle = (name: string): string => (name === NO_CLIMATE ? t("comparison.today") : name);
const eventTitle = (name: string): string => (name === NO_EVENT ? t("comparison.base") : name);

const caseTitle = (key: CaseKey): string =>
  `${eventTitle(key.event)} · ${climateTitle(key.climate)} · ${measureTitle(key.measure)}`;

/** What a measure saves of a count, as a share; a minus where it makes things worse. */
function saved(row: ComparedCase, name: string): Child {
  if (row.measure === NO_MEASURE) return "";
  const share = row.saved_share[name];
  if (share === null || share === undefined) return "–";
  const kind = share > 0.005 ? "better" : share < -0.005 ? "worse" : "same";
  return h("span", { class: `saved saved-${kind}` }, formatShare(share));
}

function casesTable({ cases, damage_in }: Comparison): HTMLElement {
  const rows: Child[][] = [];
  let heading = "";
  for (const row of cases) {
    const years = row.return_period === null ? "" : ` (${t("comparison.years", { years: row.return_period })})`;
    const group = `${eventTitle(row.event)}${years} · ${climateTitle(row.climate)}`;
    if (group !== heading) rows.push([group]);
    heading = group;
    rows.push([
      measureTitle(row.measure),
      formatArea(row.flooded_area),
      saved(row, "flooded_area"),
      formatNumber(row.people, 0),
      saved(row, "people"),
      formatNumber(row.buildings, 0),
      saved(row, "buildings"),
      formatLength(row.closed_road_length),
      damage_in === "money" ? formatMoney(row.damage) : formatArea(row.damaged_area),
      saved(row, "damage"),
    ]);
  }
  const less = t("comparison.saved");
  const headings = [
    t("comparison.measure"),
    t("impact.area"),
    less,
    t("impact.people"),
    less,
    t("impact.buildings"),
    less,
    t("impact.closed"),
    t(damage_in === "money" ? "impact.damage" : "damage.damagedArea"),
    less,
  ];
  return table(headings, rows);
}

function annualTable({ annual_damage, damage_in }: Comparison): HTMLElement {
  const write = damage_in === "money" ? formatMoney : formatArea;
  const rows: Child[][] = [];
  let heading = "";
  for (const row of annual_damage) {
    if (row.climate !== heading) rows.push([climateTitle(row.climate)]);
    heading = row.climate;
    const isBase = row.measure === NO_MEASURE;
    rows.push([measureTitle(row.measure), write(row.damage), isBase ? "" : write(row.saved)]);
  }
  const title = t(damage_in === "money" ? "comparison.annual" : "comparison.annualArea");
  return h(
    "div",
    {},
    h("h4", { class: "part-title" }, title),
    table([t("comparison.measure"), t("comparison.perYear"), t("comparison.saved")], rows),
  );
}

function saveCases(id: string, cases: ComparedCase[]): void {
  const columns = Object.keys(cases[0] ?? {}).filter((column) => !column.startsWith("saved")) as (keyof ComparedCase)[];
  saveText(`${id}-cases.csv`, csvText([columns, ...cases.map((row) => columns.map((column) => row[column]))]));
}

/** Build the part of a run that compares floods. */
export function comparisonPart(id: string, comparison: Comparison): HTMLElement {
  const { before, after, wetted_area, dried_area } = comparison.map;
  return section(
    t("comparison.title"),
    casesTable(comparison),
    textButton(t("impact.download"), () => saveCases(id, comparison.cases), "button-small", "download"),
    comparison.annual_damage.length > 0 ? annualTable(comparison) : null,
    h("h4", { class: "part-title" }, t("comparison.map")),
    h(
      "p",
      { class: "soft" },
      t("comparison.mapWords", {
        before: caseTitle(before),
        after: caseTitle(after),
        wetted: formatArea(wetted_area),
        dried: formatArea(dried_area),
      }),
    ),
  );
}
