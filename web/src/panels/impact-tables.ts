/** The tables of a run's summary: wards, layers, people, places, damage. */

import { findLayer, findRasterLayer, findVectorLayer } from "../data";
import { type Child, h } from "../dom";
import { formatArea, formatFixed, formatHours, formatLength, formatMoney, formatNumber, formatShare } from "../format";
import { type Key, say, t } from "../i18n";
import type { Damage, PlaceImpact, RunSummary, WardImpact } from "../types";
import { swatch } from "./parts";
import { codeOrder, codeTitle, table } from "./table";

export const ASSETS = "flood_assets";

const DAMAGE_CLASSES: Record<string, Key> = {
  residential: "damage.residential",
  commercial: "damage.commercial",
  industrial: "damage.industrial",
  roads: "damage.roads",
  agriculture: "damage.agriculture",
};

const metres = (depth: number | null | undefined): string =>
  depth === null || depth === undefined ? "–" : `${formatFixed(depth, 2)} m`;

export const layerTitle = (id: string): string => say(findLayer(id)?.title, id);

const colouredDepth = (code: string): HTMLElement =>
  coloured(
    findVectorLayer(ASSETS)?.legend.find((entry) => entry.value === code)?.color,
    codeTitle(ASSETS, "depth_class", code),
  );

const colouredHazard = (code: string): HTMLElement =>
  coloured(
    findRasterLayer("flood_hazard_class")?.legend.find((entry) => `H${entry.value}` === code)?.color,
    codeTitle(ASSETS, "hazard_class", code),
  );

const coloured = (color: string | undefined, words: string): HTMLElement =>
  h("span", { class: "coloured", title: words }, color ? swatch(color) : null, words);

const opener = (title: string, open: () => void): HTMLElement =>
  h("button", { type: "button", class: "link-button", onclick: open }, title);

/** Build the table by ward; its name opens the list of what is under water there. */
export function wardTable(wards: WardImpact[], open: (code: string) => void): HTMLElement {
  const shown = [...wards].sort((a, b) => b.people - a.people || b.buildings - a.buildings);
  const columns: [string, (ward: WardImpact) => Child][] = [
    [t("impact.ward"), (ward) => opener(ward.ward_name ?? ward.ward_code, () => open(ward.ward_code))],
    [t("impact.people"), (ward) => formatNumber(ward.people, 0)],
    [t("impact.buildings"), (ward) => formatNumber(ward.buildings, 0)],
    [t("impact.roads"), (ward) => formatLength(ward.road_length)],
    [t("impact.depth"), (ward) => metres(ward.depth_max)],
    [t("impact.area"), (ward) => formatArea(ward.flooded_area)],
    [t("impact.closed"), (ward) => formatLength(ward.closed_road_length)],
    [t("impact.places"), (ward) => formatNumber(ward.places, 0)],
    [t("impact.firstHours"), (ward) => formatHours(ward.first_hours)],
    [t("impact.lights"), (ward) => formatNumber(ward.lights, 0)],
    [t("impact.cabinets"), (ward) => formatNumber(ward.cabinets, 0)],
    [t("impact.pumps"), (ward) => formatNumber(ward.pumps, 0)],
    [t("impact.damage"), (ward) => formatMoney(ward.damage)],
  ];
  // A record made before a column was, or a city without values, has nothing to put into it.
  const filled = columns.filter(([, write]) => shown.some((ward) => write(ward) !== "–"));
  return table(
    filled.map(([heading]) => heading),
    shown.map((ward) => filled.map(([, write]) => write(ward))),
  );
}

export function classTable(summary: Partial<RunSummary>): HTMLElement {
  const affected = [...(summary.affected ?? [])].sort(
    (a, b) =>
      a.asset_layer.localeCompare(b.asset_layer) ||
      codeOrder(ASSETS, "depth_class", a.depth_class) - codeOrder(ASSETS, "depth_class", b.depth_class),
  );
  const rows: Child[][] = [];
  let layer = "";
  for (const entry of affected) {
    if (entry.asset_layer !== layer) rows.push([layerTitle(entry.asset_layer)]);
    layer = entry.asset_layer;
    rows.push([
      colouredDepth(entry.depth_class),
      formatNumber(entry.count, 0),
      entry.length ? formatLength(entry.length) : "–",
      entry.people ? formatNumber(entry.people, 0) : "–",
    ]);
  }
  return table([t("impact.class"), t("impact.count"), t("impact.length"), t("impact.people")], rows);
}

/** People by depth, and everything by hazard class; null where the run counted neither. */
export function peopleTables(summary: Partial<RunSummary>): HTMLElement | null {
  const depths = summary.people_by_depth ?? [];
  const hazards = summary.by_hazard ?? [];
  if (depths.length === 0 && hazards.length === 0) return null;
  const byDepth = depths.map((entry) => [colouredDepth(entry.depth_class), formatNumber(entry.people, 0)]);
  const byHazard = hazards.map((entry) => [
    colouredHazard(entry.hazard_class),
    formatNumber(entry.people, 0),
    formatArea(entry.area),
    formatNumber(entry.buildings, 0),
    formatLength(entry.road_length),
  ]);
  const headings = [t("impact.hazard"), t("impact.people"), t("impact.area"), t("impact.buildings"), t("impact.roads")];
  return h(
    "div",
    {},
    byDepth.length > 0 ? table([t("impact.class"), t("impact.people")], byDepth) : null,
    byHazard.length > 0 ? table(headings, byHazard) : null,
  );
}

/** Build the table of places; a kind opens its list. */
export function placeTable(places: PlaceImpact[], open: (category: string) => void): HTMLElement {
  const rows = [...places]
    .sort((a, b) => codeOrder("places", "category", a.category) - codeOrder("places", "category", b.category))
    .map((entry) => [
      opener(codeTitle("places", "category", entry.category), () => open(entry.category)),
      formatNumber(entry.count, 0),
      metres(entry.depth_max),
      formatHours(entry.first_hours),
    ]);
  return table([t("impact.place"), t("impact.count"), t("impact.depth"), t("impact.firstHours")], rows);
}

export function damageTable(damage: Damage): HTMLElement {
  const hasMoney = damage.classes.some((row) => row.damage !== null);
  const rows = damage.classes.map((row) => {
    const key = DAMAGE_CLASSES[row.damage_class];
    const cells: Child[] = [
      key ? t(key) : row.damage_class,
      formatNumber(row.count, 0),
      formatShare(row.factor),
      formatArea(row.area),
      formatArea(row.damaged_area),
    ];
    return hasMoney ? [...cells, formatMoney(row.damage)] : cells;
  });
  const headings = [
    t("damage.class"),
    t("impact.count"),
    t("damage.factor"),
    t("damage.area"),
    t("damage.damagedArea"),
    ...(hasMoney ? [t("impact.damage")] : []),
  ];
  return h(
    "div",
    {},
    table(headings, rows),
    damage.total === null ? null : h("p", { class: "note" }, t("damage.total", { value: formatMoney(damage.total) })),
    h("p", { class: "soft note" }, t("damage.explain")),
    damage.sources?.length ? h("p", { class: "soft note" }, damage.sources.join("; ")) : null,
  );
}
