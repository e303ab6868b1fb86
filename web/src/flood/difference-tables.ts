/** Two floods side by side: what each puts under water, and the change, for the city and by ward. */

import { type Child, h } from "../dom";
import { formatArea, formatFixed, formatLength, formatMoney, formatNumber } from "../format";
import { t } from "../i18n";
import { csvText, saveText } from "../panels/csv";
import { textButton } from "../panels/parts";
import { table } from "../panels/table";
import type { Run, RunSummary, WardImpact } from "../types";

type Summary = Partial<RunSummary>;

interface Count {
  title: string;
  read: (summary: Summary) => number | null | undefined;
  write: (value: number) => string;
}

const whole = (value: number): string => formatNumber(value, 0);
const metres = (value: number): string => `${formatFixed(value, 2)} m`;

/** Add up a column of the wards; null where no ward has it. */
function sumWards(summary: Summary, column: keyof WardImpact): number | null {
  const values = (summary.by_ward ?? []).map((ward) => ward[column]).filter((one) => typeof one === "number");
  return values.length > 0 ? values.reduce((sum, one) => sum + one, 0) : null;
}

function countPlaces(summary: Summary, category: string): number | null {
  if (!summary.places) return null;
  return summary.places.filter((one) => one.category === category).reduce((sum, one) => sum + one.count, 0);
}

const damagedArea = ({ damage }: Summary): number | null =>
  damage ? damage.classes.reduce((sum, row) => sum + row.damaged_area, 0) : null;

const listCounts = (): Count[] => [
  { title: t("impact.area"), read: (one) => one.flooded_area, write: formatArea },
  { title: t("impact.people"), read: (one) => one.people, write: whole },
  { title: t("impact.buildings"), read: (one) => one.buildings, write: whole },
  { title: t("impact.roads"), read: (one) => one.road_length, write: formatLength },
  { title: t("impact.closed"), read: (one) => one.closed_road_length, write: formatLength },
  { title: t("difference.cabinets"), read: (one) => sumWards(one, "cabinets"), write: whole },
  { title: t("impact.lights"), read: (one) => sumWards(one, "lights"), write: whole },
  { title: t("impact.pumps"), read: (one) => sumWards(one, "pumps"), write: whole },
  { title: t("equipment.hospitals"), read: (one) => countPlaces(one, "hospital"), write: whole },
  { title: t("equipment.schools"), read: (one) => countPlaces(one, "school"), write: whole },
  { title: t("impact.places"), read: (one) => one.places?.reduce((sum, place) => sum + place.count, 0), write: whole },
  { title: t("impact.damage"), read: (one) => one.damage?.total, write: formatMoney },
  { title: t("damage.damagedArea"), read: damagedArea, write: formatArea },
  { title: t("flood.peakStage"), read: (one) => one.peak_stage, write: metres },
];

/** Write a change with its sign and an arrow; more water is worse. */
export function changeMark(before: number, after: number, write: (value: number) => string): HTMLElement {
  const change = after - before;
  const text = write(Math.abs(change));
  if (text === write(0)) return h("span", { class: "soft" }, "=");
  const more = change > 0;
  return h("span", { class: `saved saved-${more ? "worse" : "better"}` }, `${more ? "▲ +" : "▼ −"}${text}`);
}

/** Build the table of the whole city. */
export function cityTable(before: Run, after: Run): HTMLElement {
  const rows = listCounts().flatMap(({ title, read, write }): Child[][] => {
    const [a, b] = [read(before.summary ?? {}), read(after.summary ?? {})];
    if (typeof a !== "number" && typeof b !== "number") return [];
    const both = typeof a === "number" && typeof b === "number";
    const pair = [a, b].map((one) => (typeof one === "number" ? write(one) : "–")).join(" → ");
    const change = both ? changeMark(a, b, write) : null;
    return [[title, h("div", { class: "two-lines pair-cell" }, h("span", {}, pair), change)]];
  });
  return table([t("ensemble.count"), t("difference.pair")], rows);
}

type WardCount = "flooded_area" | "people" | "buildings" | "road_length" | "cabinets" | "places" | "damage";
const WARD_COUNTS: readonly { name: WardCount; write: (value: number) => string }[] = [
  { name: "people", write: whole },
  { name: "buildings", write: whole },
  { name: "road_length", write: formatLength },
  { name: "flooded_area", write: formatArea },
  { name: "cabinets", write: whole },
  { name: "places", write: whole },
  { name: "damage", write: formatMoney },
];

interface WardPair {
  code: string;
  name: string;
  before: WardImpact | undefined;
  after: WardImpact | undefined;
}

function pairWards(before: Run, after: Run): WardPair[] {
  const pairs = new Map<string, WardPair>();
  for (const [side, run] of [
    ["before", before],
    ["after", after],
  ] as const) {
    for (const ward of run.summary?.by_ward ?? []) {
      const code = ward.ward_code;
      const known = pairs.get(code) ?? { code, name: ward.ward_name ?? code, before: undefined, after: undefined };
      known[side] = ward;
      pairs.set(code, known);
    }
  }
  const weight = (pair: WardPair): number => Math.abs((pair.after?.people ?? 0) - (pair.before?.people ?? 0));
  return [...pairs.values()].sort((a, b) => weight(b) - weight(a) || a.name.localeCompare(b.name, "vi"));
}

/** Build the table by ward, the largest change of people first. */
export function wardsTable(before: Run, after: Run): HTMLElement {
  const pairs = pairWards(before, after);
  const offered = WARD_COUNTS.filter(({ name }) =>
    pairs.some(({ before: a, after: b }) => typeof a?.[name] === "number" || typeof b?.[name] === "number"),
  );
  const rows = pairs.map((pair): Child[] => [
    pair.name,
    ...offered.map(({ name, write }): Child => {
      const [a, b] = [pair.before?.[name] ?? 0, pair.after?.[name] ?? 0];
      return h(
        "div",
        { class: "two-lines pair-cell" },
        h("span", {}, `${write(a)} → ${write(b)}`),
        changeMark(a, b, write),
      );
    }),
  ]);
  const save = (): void => {
    const names = offered.map(({ name }) => name);
    const heading = ["ward_code", "ward_name", ...names.flatMap((name) => [`${name}_before`, `${name}_after`])];
    const lines = pairs.map((pair) => [
      pair.code,
      pair.name,
      ...names.flatMap((name) => [pair.before?.[name] ?? null, pair.after?.[name] ?? null]),
    ]);
    saveText(`${before.id}-${after.id}-wards.csv`, csvText([heading, ...lines]));
  };
  return h(
    "div",
    {},
    table([t("impact.ward"), ...offered.map(({ name }) => t(`differenceWard.${name}`))], rows),
    textButton(t("impact.download"), save, "button-small", "download"),
  );
}
