/** The figures of two runs side by side: in all, and by ward. */

import { type Child, h } from "../dom";
import { formatArea, formatFixed, formatLength, formatNumber } from "../format";
import { type Key, say, t } from "../i18n";
import { csvText, saveText } from "../panels/csv";
import { section, textButton } from "../panels/parts";
import { table } from "../panels/table";
import type { Run, RunSummary } from "../types";

type Name = "flooded_area" | "people" | "buildings" | "road_length" | "closed_road_length" | "depth_max";
type Figures = Partial<RunSummary> & { depth_max?: number };

const count = (value: number): string => formatNumber(value, 0);
const ROWS: readonly (readonly [Name, Key, (value: number) => string])[] = [
  ["flooded_area", "impact.area", formatArea],
  ["people", "impact.people", count],
  ["buildings", "impact.buildings", count],
  ["road_length", "impact.roads", formatLength],
  ["closed_road_length", "impact.closed", formatLength],
  ["depth_max", "impact.depth", (value) => `${formatFixed(value, 2)} m`],
];

/** What is more or less on the right, with a sign; worse is marked by colour and by the sign. */
function difference(left: number, right: number, write: (value: number) => string): Child {
  const change = right - left;
  // What reads the same is the same.
  if (write(left) === write(right)) return "=";
  const kind = change > 0 ? "worse" : "better";
  return h("span", { class: `saved saved-${kind}` }, `${change > 0 ? "+" : "−"}${write(Math.abs(change))}`);
}

function allRows(left: Figures, right: Figures): Child[][] {
  return ROWS.flatMap(([name, key, write]) => {
    const [a, b] = [left[name], right[name]];
    if (typeof a !== "number" || typeof b !== "number") return [];
    return [[t(key), write(a), write(b), difference(a, b, write)]];
  });
}

interface WardRow {
  name: string;
  people: [number, number];
  area: [number, number];
}

/** Return people and area of every ward in both runs, the largest change first. */
function joinWards(left: Figures, right: Figures): WardRow[] {
  const rows = new Map<string, WardRow>();
  for (const [side, summary] of [left, right].entries()) {
    for (const ward of summary.by_ward ?? []) {
      const row = rows.get(ward.ward_code) ?? { name: ward.ward_name ?? ward.ward_code, people: [0, 0], area: [0, 0] };
      row.people[side as 0 | 1] = ward.people;
      row.area[side as 0 | 1] = ward.flooded_area ?? 0;
      rows.set(ward.ward_code, row);
    }
  }
  const size = ({ area }: WardRow): number => Math.abs(area[1] - area[0]);
  return [...rows.values()].sort((a, b) => size(b) - size(a) || a.name.localeCompare(b.name, "vi"));
}

function saveFigures(left: Run, right: Run, wards: WardRow[]): void {
  const [a, b] = [left.summary ?? {}, right.summary ?? {}] as [Figures, Figures];
  const rows = ROWS.map(([name]) => [name, a[name], b[name]]);
  const byWard = wards.map(({ name, people, area }) => [name, ...people, ...area]);
  saveText(
    `${left.id}-${right.id}.csv`,
    csvText([
      ["figure", left.id, right.id],
      ...rows,
      [],
      ["ward", "people left", "people right", "area left [m2]", "area right [m2]"],
      ...byWard,
    ]),
  );
}

/** What the works of a scenario moved, as the server measured it on its grid. */
function earthworks(run: Run): HTMLElement | null {
  const parameters = run.provenance?.parameters as
    | { city?: { earthworks?: { edit: string; volume?: number }[] } }
    | undefined;
  const moved = (parameters?.city?.earthworks ?? []).filter(({ volume }) => volume);
  const total = (words: readonly string[]): number =>
    moved.filter(({ edit }) => words.includes(edit)).reduce((sum, { volume }) => sum + (volume ?? 0), 0);
  const [dug, filled] = [total(["DigPond", "WidenCanal"]), total(["RaiseRoad"])];
  if (dug + filled === 0) return null;
  return h(
    "p",
    { class: "soft note" },
    t("plan.moved", { dug: formatNumber(dug, 0), filled: formatNumber(filled, 0) }),
  );
}

/** Build the tables. */
export function figuresPart(left: Run, right: Run): HTMLElement {
  const [a, b] = [left.summary ?? {}, right.summary ?? {}] as [Figures, Figures];
  const wards = joinWards(a, b);
  const headings = [t("plan.figure"), t("plan.left"), t("plan.right"), t("plan.difference")];
  const byWard = wards.map(({ name, people, area }): Child[] => [
    name,
    count(people[0]),
    count(people[1]),
    difference(people[0], people[1], count),
    formatArea(area[0]),
    formatArea(area[1]),
    difference(area[0], area[1], formatArea),
  ]);
  const wardHeadings = [
    t("impact.ward"),
    `${t("impact.people")} · ${t("plan.left")}`,
    t("plan.right"),
    t("plan.difference"),
    `${t("impact.area")} · ${t("plan.left")}`,
    t("plan.right"),
    t("plan.difference"),
  ];
  return h(
    "div",
    { class: "run-figures" },
    section(
      t("plan.figures"),
      h("p", { class: "soft" }, `${t("plan.left")}: ${say(left.title)}`),
      h("p", { class: "soft" }, `${t("plan.right")}: ${say(right.title)}`),
      table(headings, allRows(a, b)),
      earthworks(right),
      earthworks(left),
    ),
    byWard.length > 0 ? section(t("impact.byWard"), table(wardHeadings, byWard)) : null,
    textButton(t("impact.download"), () => saveFigures(left, right, wards), "button-small", "download"),
  );
}
