/** What was seen of an item, graded 1 to 5, the newest first. */

import { h } from "../dom";
import { formatDateTime, formatNumber } from "../format";
import { type Key, t } from "../i18n";
import { empty } from "../panels/parts";
import type { Selection } from "../state";
import { fill, readInternal } from "./internal";

interface Inspection {
  id: number;
  inspected: string;
  inspector: string;
  grade: 1 | 2 | 3 | 4 | 5;
  remarks: string;
  observations: { code: string; position: number | null; text: string }[];
}

/** Write a day without a time. */
const writeDay = (day: string): string => formatDateTime(`${day}T12:00:00Z`).split(" ").at(-1) ?? day;

function row({ inspected, inspector, grade, remarks, observations }: Inspection): HTMLElement {
  const seen = observations.map(({ code, position, text }) => {
    const place = position === null ? "" : ` ${t("item.at", { position: formatNumber(position, 1) })}`;
    return h("li", {}, h("code", {}, code), `${place}${text ? `: ${text}` : ""}`);
  });
  return h(
    "li",
    { class: "version" },
    h(
      "strong",
      {},
      h("span", { class: `grade grade-${grade}` }, t("item.grade", { grade })),
      ` ${t(`item.grade_${grade}` as Key)}`,
    ),
    h("span", { class: "soft" }, t("item.seenBy", { inspector, time: writeDay(inspected) })),
    remarks ? h("span", {}, remarks) : null,
    seen.length > 0 ? h("ul", { class: "check-list" }, ...seen) : null,
  );
}

/** Fill the section. */
export function fillInspections(holder: HTMLElement, { layer, id }: Selection): void {
  const path = `/api/collections/${encodeURIComponent(layer)}/items/${encodeURIComponent(id)}/inspections`;
  void fill(
    holder,
    () => readInternal<{ inspections: Inspection[] }>(path),
    ({ inspections }) => {
      if (inspections.length === 0) return empty(t("item.noInspections"));
      const newest = [...inspections].sort((a, b) => b.inspected.localeCompare(a.inspected));
      return h("ol", { class: "versions" }, ...newest.map(row));
    },
  );
}
