/** The wards as a list to scan, and all that is known of them as a table to sort and to save. */

import { type Child, h, replace } from "../dom";
import { formatFixed, formatLength, formatNumber, formatShare } from "../format";
import { t } from "../i18n";
import { csvText, saveText } from "../panels/csv";
import { openDialog } from "../panels/dialog";
import { swatch, textButton } from "../panels/parts";
import type { WardCounts, WardOutlook } from "../types";
import { formatWhen } from "./ages";
import { hourStrip } from "./hours";
import { isWet, type Paint, type Sort, shadeWard, sortWards, wardSort } from "./ward-data";

/** Say when water comes first and goes last. */
export function sayTimes(ward: WardOutlook): string {
  if (!ward.first) return t("ward.dry");
  const early = ward.first_early === ward.first ? "" : ` ${t("ward.early", { time: formatWhen(ward.first_early) })}`;
  const end = ward.last ? t("ward.until", { time: formatWhen(ward.last) }) : t("ward.stays");
  return `${t("ward.from", { time: formatWhen(ward.first) })}${early}, ${end}`;
}

/** Say whom the likely flood touches, or what the high one would. */
export function sayTouched(counts: WardCounts): string {
  const parts = [
    counts.people > 0 ? t("ward.people", { count: formatNumber(counts.people, 0) }) : null,
    counts.buildings > 0 ? t("ward.buildings", { count: formatNumber(counts.buildings, 0) }) : null,
    counts.road_length > 0 ? t("ward.roads", { length: formatLength(counts.road_length) }) : null,
    counts.hospitals > 0 ? t("ward.hospitals", { count: formatNumber(counts.hospitals, 0) }) : null,
  ].filter((part) => part !== null);
  return parts.length > 0 ? parts.join(" · ") : t("ward.nobody");
}

/** Build the row of a ward; `open` brings it on the screen. */
export function wardRow(
  ward: WardOutlook,
  base: string,
  paint: Paint,
  chosen: boolean,
  open: (code: string) => void,
): HTMLElement {
  const shade = shadeWard(ward, paint, base);
  return h(
    "li",
    { "data-ward": ward.ward_code },
    h(
      "button",
      {
        type: "button",
        class: "ward-row",
        "aria-pressed": String(chosen),
        onclick: () => open(ward.ward_code),
      },
      h(
        "span",
        { class: "ward-head" },
        h("strong", {}, ward.ward_name),
        shade ? h("span", { class: "coloured" }, swatch(shade.color), shade.words) : null,
      ),
      h("span", { class: "ward-when" }, h("strong", {}, formatShare(ward.probability)), ` ${sayTimes(ward)}`),
      hourStrip(ward.hours, base) as unknown as HTMLElement,
      h(
        "span",
        { class: "soft" },
        sayTouched(ward.likely.buildings + ward.likely.people > 0 ? ward.likely : ward.possible),
      ),
    ),
  );
}

interface Column {
  title: string;
  sort?: Sort;
  write: (ward: WardOutlook) => Child;
}

const two = (ward: WardOutlook, write: (counts: WardCounts) => string): string => {
  const [likely, possible] = [write(ward.likely), write(ward.possible)];
  return likely === possible ? likely : `${likely} – ${possible}`;
};

const count =
  (name: keyof Omit<WardCounts, "depth_class">) =>
  (ward: WardOutlook): string =>
    two(ward, (counts) => formatNumber(counts[name], 0));

/** Return the columns of the whole table: what half of the members exceed, then what a tenth do. */
export const wardColumns = (): Column[] => [
  { title: t("ward.name"), sort: "name", write: (ward) => ward.ward_name },
  { title: t("ward.probability"), sort: "probability", write: (ward) => formatShare(ward.probability) },
  { title: t("ward.first"), sort: "first", write: (ward) => formatWhen(ward.first) },
  { title: t("ward.early1"), write: (ward) => formatWhen(ward.first_early) },
  {
    title: t("ward.last"),
    write: (ward) => (ward.last ? formatWhen(ward.last) : ward.first ? t("ward.beyond") : "–"),
  },
  { title: t("ward.depth"), sort: "depth", write: (ward) => two(ward, (counts) => formatFixed(counts.depth_max, 2)) },
  { title: t("ward.peopleShort"), sort: "people", write: count("people") },
  { title: t("ward.buildingsShort"), write: count("buildings") },
  { title: t("ward.roadsKm"), write: (ward) => two(ward, (counts) => formatFixed(counts.road_length / 1000, 1)) },
  {
    title: t("ward.closedKm"),
    write: (ward) => two(ward, (counts) => formatFixed(counts.closed_road_length / 1000, 1)),
  },
  { title: t("ward.hospitalsShort"), write: count("hospitals") },
  { title: t("ward.schoolsShort"), write: count("schools") },
  { title: t("ward.cabinetsShort"), write: count("cabinets") },
  { title: t("ward.pumpsShort"), write: count("pumps") },
];

/** Save what is known of the wards as a file. */
export function saveWards(run: string, wards: readonly WardOutlook[]): void {
  const names = Object.keys(wards[0]?.likely ?? {}) as (keyof WardCounts)[];
  const head = [
    "ward_code",
    "ward_name",
    "probability",
    "first",
    "first_early",
    "first_late",
    "last",
    ...names.map((name) => `likely_${name}`),
    ...names.map((name) => `possible_${name}`),
    ...(wards[0]?.hours ?? []).map((_, hour) => `hour_${hour + 1}`),
  ];
  const rows = wards.map((ward) => [
    ward.ward_code,
    ward.ward_name,
    ward.probability,
    ward.first,
    ward.first_early,
    ward.first_late,
    ward.last,
    ...names.map((name) => ward.likely[name]),
    ...names.map((name) => ward.possible[name]),
    ...ward.hours,
  ]);
  saveText(`${run}-wards.csv`, csvText([head, ...rows]));
}

/** Build the whole table; a heading sorts it. */
function wardTable(wards: readonly WardOutlook[], open: (code: string) => void): HTMLElement {
  const holder = h("div", { class: "table-holder desk-long", tabindex: 0 });
  const show = (): void => {
    const sort = wardSort.get();
    const heading = (column: Column): HTMLElement =>
      h(
        "th",
        {
          scope: "col",
          "aria-sort": column.sort
            ? column.sort === sort
              ? sort === "name" || sort === "first"
                ? "ascending"
                : "descending"
              : "none"
            : null,
        },
        column.sort
          ? h(
              "button",
              {
                type: "button",
                class: "link-button",
                "data-sort": column.sort,
                onclick: () => {
                  wardSort.set(column.sort as Sort);
                  show();
                  holder.querySelector<HTMLElement>(`[data-sort="${column.sort}"]`)?.focus();
                },
              },
              `${column.title}${column.sort === sort ? (sort === "name" || sort === "first" ? " ▲" : " ▼") : ""}`,
            )
          : column.title,
      );
    const columns = wardColumns();
    const row = (ward: WardOutlook): HTMLElement =>
      h(
        "tr",
        {},
        ...columns.map(({ write }, place) =>
          place === 0
            ? h(
                "th",
                { scope: "row" },
                h("button", { type: "button", class: "link-button", onclick: () => open(ward.ward_code) }, write(ward)),
              )
            : h("td", {}, write(ward)),
        ),
      );
    replace(
      holder,
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...columns.map(heading))),
        h("tbody", {}, ...sortWards(wards, sort).map(row)),
      ),
    );
  };
  show();
  return holder;
}

/** Open the whole table in a dialog. */
export function openWardTable(run: string, wards: readonly WardOutlook[], open: (code: string) => void): void {
  const dialog = openDialog(t("ward.tableTitle"), (close) =>
    h(
      "div",
      {},
      h("p", { class: "soft note" }, t("ward.tableHint")),
      wardTable(wards, (code) => {
        close();
        open(code);
      }),
      h(
        "div",
        { class: "dialog-actions" },
        textButton(t("impact.download"), () => saveWards(run, wards), "", "download"),
      ),
    ),
  );
  dialog.classList.add("dialog-wide");
}

/** How many wards may have water, of how many. */
export const countWet = (wards: readonly WardOutlook[]): number => wards.filter(isWet).length;
