/** What is behind an indicator: why it is so, its limits, its hours, the things it is made of. */

import { type Child, h, replace } from "../dom";
import { formatNumber, formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { failure, loading } from "../panels/parts";
import { longTable, table } from "../panels/table";
import { type Indicator, type IndicatorItem, readIndicator, writeValue } from "./indicator";
import { sparkline } from "./sparkline";
import { stateChip } from "./tile";

function sayLimits({ limits, symbol }: Indicator): string | null {
  if (limits.watch === null && limits.bad === null) return null;
  const write = (value: number): string =>
    limits.of === "share" ? `${formatNumber(value * 100, 0)} %` : `${formatNumber(value, 2)} ${symbol}`.trim();
  const words = [
    limits.watch === null ? null : t("wall.limitWatch", { value: write(limits.watch) }),
    limits.bad === null ? null : t("wall.limitBad", { value: write(limits.bad) }),
    t(limits.direction === "above" ? "wall.above" : "wall.below"),
  ];
  return `${words.filter(Boolean).join("; ")}${limits.source ? ` (${say(limits.source)})` : ""}`;
}

function build(one: Indicator & { items: IndicatorItem[] }): HTMLElement {
  const [value, unit] = writeValue(one);
  const fact = (name: string, child: Child): HTMLElement | null =>
    child ? h("div", { class: "property" }, h("dt", {}, name), h("dd", {}, child)) : null;
  const rows = one.items.map((item): Child[] => [
    item.layer
      ? h(
          "a",
          { href: `./#item=${encodeURIComponent(item.layer)}/${encodeURIComponent(item.id)}`, target: "_blank" },
          item.name,
        )
      : item.name,
    formatNumber(item.value, 3),
  ]);
  return h(
    "div",
    { class: "details" },
    h("p", { class: "details-value" }, h("strong", {}, `${value} ${unit}`), stateChip(one)),
    h("p", {}, say(one.description)),
    sparkline(one.recent),
    h(
      "dl",
      { class: "properties" },
      fact(t("wall.reason"), say(one.reason)),
      fact(t("wall.limits"), sayLimits(one)),
      fact(t("wall.time"), one.time ? formatShortDateTime(one.time) : null),
      fact(t("wall.speaking"), one.of === null ? null : `${one.count} / ${one.of}`),
    ),
    one.parts.length > 0
      ? table(
          [t("wall.part"), t("wall.number")],
          one.parts.map((part): Child[] => [say(part.title), formatNumber(part.value, 0)]),
        )
      : null,
    rows.length > 0 ? longTable([t("wall.item"), t("wall.value")], rows) : null,
    h(
      "p",
      { class: "details-links" },
      h("a", { href: one.links.items, target: "_blank" }, t("wall.itemsLink")),
      one.links.history ? h("a", { href: `${one.links.history}?hours=168&f=csv` }, t("wall.historyLink")) : null,
    ),
  );
}

/** Show an indicator in a dialog. */
export function showDetails(one: Indicator): void {
  openDialog(say(one.title), () => {
    const holder = h("div", {}, loading());
    const load = (): void => {
      readIndicator(one.id).then(
        (read) => replace(holder, build(read)),
        (error: unknown) => replace(holder, failure(error, load)),
      );
    };
    load();
    return holder;
  });
}
