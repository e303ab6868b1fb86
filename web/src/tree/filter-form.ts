/** The filter of a layer: conditions on its properties, or free CQL2; applied once the server can read it. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { explain, say, t } from "../i18n";
import { filters, setLayerFilter } from "../map/tile-query";
import { empty, iconButton, select, textButton } from "../panels/parts";
import { newTest, sayTest, testFields } from "../table/test-fields";
import { both, idProperty, type Test, writeTest } from "../table/tests";
import type { Property, VectorLayer } from "../types";
import { countItems } from "./counts";

/** Conditions that are being written, by layer; they stay while the form is away. */
const drafts = new Map<string, Test[]>();

/** Forms on the screen, by layer: they follow when a filter is taken off elsewhere. */
const shown = new Map<string, () => void>();

filters.watch(() => {
  for (const show of shown.values()) show();
});

/** Build the form. */
export function filterForm(map: MapView, layer: VectorLayer): HTMLElement {
  const properties = [...layer.properties, idProperty(t("card.id"))];
  const find = (name: string): Property => properties.find((one) => one.name === name) ?? properties[0]!;
  const tests = drafts.get(layer.id) ?? [newTest(properties[0]!)];
  const rows = h("div", { class: "filter-rows" });
  const said = h("div", { class: "filter-said", role: "status" });
  const now = h("div", { class: "filter-now" });
  const free = h("textarea", {
    class: "input filter-text",
    rows: 3,
    spellcheck: "false",
    "aria-label": t("tree.cql"),
    placeholder: "diameter > 300 AND material = 'pvc'",
  });

  const written = (): string | null => both(...tests.map((test) => writeTest(test, find(test.name))));

  const showNow = (): void => {
    const filter = filters.get()[layer.id];
    free.value = filter ?? "";
    const clear = iconButton("close", t("tree.clear"), () => void apply(null), "icon-button-quiet");
    // A filter that was put together of fields is told in words.
    const told = filter === written() ? tests.map((test) => sayTest(test, find(test.name))).join("; ") : filter;
    replace(now, filter ? h("span", { class: "filter-told", title: filter }, told) : null, filter ? clear : null);
    now.hidden = !filter;
  };
  const apply = async (filter: string | null): Promise<void> => {
    if (filter === null) {
      setLayerFilter(map, layer.id, null);
      replace(said);
      return;
    }
    replace(said, h("span", { class: "soft" }, t("tree.counting")));
    try {
      const count = formatNumber(await countItems(layer.id, filter), 0);
      setLayerFilter(map, layer.id, filter);
      replace(said, h("strong", {}, t("tree.matching", { count, total: formatNumber(layer.count, 0) })));
    } catch (error) {
      replace(said, h("p", { class: "field-error", role: "alert" }, explain(error)));
    }
  };
  const applyTests = (): void => {
    const filter = written();
    if (filter) void apply(filter);
    else replace(said, h("p", { class: "field-error", role: "alert" }, t("tree.incomplete")));
  };
  const showRows = (): void => {
    drafts.set(layer.id, tests);
    const names = properties.map(({ name, title }) => ({ value: name, label: say(title, name) }));
    const row = (test: Test, at: number): HTMLElement => {
      const chooser = select(t("tree.property"), names, test.name, (name) => {
        tests[at] = newTest(find(name));
        showRows();
        rows.querySelectorAll<HTMLElement>(".filter-property")[at]?.focus();
      });
      chooser.classList.add("filter-property");
      const remove = (): void => {
        tests.splice(at, 1);
        showRows();
      };
      return h(
        "div",
        { class: "filter-row" },
        chooser,
        tests.length > 1 ? iconButton("close", t("tree.removeTest"), remove, "icon-button-quiet") : null,
        testFields(test, find(test.name), (next) => {
          tests[at] = next;
        }),
      );
    };
    replace(rows, ...tests.map(row));
  };
  const more = textButton(
    t("tree.addTest"),
    () => {
      tests.push(newTest(properties[0]!));
      showRows();
    },
    "button-small",
    "plus",
  );
  showRows();
  showNow();
  shown.set(layer.id, showNow);
  if (layer.properties.length === 0) return empty(t("card.noProperties"));
  return h(
    "div",
    { class: "filter-form" },
    now,
    rows,
    h("div", { class: "row" }, more, textButton(t("tree.apply"), applyTests, "button-small button-primary", "filter")),
    said,
    h(
      "details",
      { class: "fold" },
      h("summary", {}, t("tree.cql")),
      h("p", { class: "soft" }, t("tree.cqlHint")),
      free,
      textButton(t("tree.apply"), () => void apply(free.value.trim() || null), "button-small"),
    ),
  );
}
