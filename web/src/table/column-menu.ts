/** What can be done with a column: order, filter, place, width, foot. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { loading, select, textButton } from "../panels/parts";
import type { Property } from "../types";
import { readAggregate, selectionOf } from "./api";
import { headOf, setTotal, setWidth, TOTALS, type Total, totalOf, widthOf } from "./columns";
import { type Anchor, openPopup } from "./popup";
import { type Counts, newTest, testFields } from "./test-fields";
import { isListed, isNumber, type Test } from "./tests";
import { changeView, columnsOf, type View, writeTests } from "./view";

const WIDER = 40;
const TYPING_MS = 350;

/** Count the codes of a property among what the other filters leave. */
async function countCodes(view: View, property: Property, box: string | null): Promise<Counts> {
  const others = { ...view, tests: view.tests.filter(({ name }) => name !== property.name) };
  const { groups } = await readAggregate(view.layer, selectionOf(others, box), [property.name], ["count"]);
  return new Map(groups.map((group) => [String(group[property.name] ?? ""), Number(group["count"])]));
}

/** Set what a column asks; null takes it away. */
export function setTest(view: View, name: string, test: Test | null): void {
  const others = view.tests.filter((one) => one.name !== name);
  changeView({ tests: test ? [...others, test] : others });
}

export function sortBy(name: string, down: boolean | null): void {
  changeView({ sort: down === null ? [] : [{ name, down }] });
}

function filterPart(view: () => View, property: Property, box: string | null): HTMLElement {
  const holder = h("div", { class: "column-filter" });
  let typing = 0;
  const put = (next: Test): void => {
    clearTimeout(typing);
    typing = window.setTimeout(() => {
      const complete = writeTests({ ...view(), tests: [next] }) !== null;
      setTest(view(), property.name, complete ? next : null);
    }, TYPING_MS);
  };
  const build = (counts: Counts): void => {
    const test = view().tests.find(({ name }) => name === property.name) ?? newTest(property);
    const clear = textButton(
      t("table.clearFilter"),
      () => {
        clearTimeout(typing);
        setTest(view(), property.name, null);
        build(counts);
      },
      "button-small",
    );
    const usual = isNumber(property) && test.values.length === 0 ? { ...test, op: "between" as const } : test;
    replace(holder, testFields(usual, property, put, counts), clear);
  };
  if (isListed(property)) {
    replace(holder, loading(t("table.counting")));
    countCodes(view(), property, box).then(build, () => build(null));
  } else build(null);
  return holder;
}

/** Open the menu of a column; `redraw` is told of what the link does not hold. */
export function openColumnMenu(
  anchor: Anchor,
  property: Property,
  view: () => View,
  box: string | null,
  redraw: () => void,
): void {
  const { name } = property;
  openPopup(anchor, headOf(property), (close) => {
    const act = (label: string, run: () => void, pressed?: boolean): HTMLElement => {
      const button = textButton(
        label,
        () => {
          close();
          run();
        },
        "button-small",
      );
      if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
      return button;
    };
    const names = columnsOf(view()).map((column) => column.name);
    const move = (step: number): void => {
      const at = names.indexOf(name);
      const to = at + step;
      if (to < 0 || to >= names.length) return;
      changeView({ columns: names.toSpliced(at, 1).toSpliced(to, 0, name) });
    };
    const resize = (by: number): void => {
      setWidth(view().layer, name, widthOf(view().layer, property) + by);
      redraw();
    };
    const now = view().sort.find((sort) => sort.name === name);
    const totals = TOTALS.map((value) => ({ value, label: t(`total.${value}`) }));
    return h(
      "div",
      { class: "column-menu" },
      h("h3", {}, headOf(property)),
      h(
        "div",
        { class: "row", role: "group", "aria-label": t("table.order") },
        act(t("table.ascending"), () => sortBy(name, false), now?.down === false),
        act(t("table.descending"), () => sortBy(name, true), now?.down === true),
        now ? act(t("table.unsorted"), () => sortBy(name, null)) : null,
      ),
      h("h4", {}, t("table.filter")),
      filterPart(view, property, box),
      isNumber(property)
        ? h(
            "label",
            { class: "field" },
            h("span", { class: "field-label" }, t("table.foot")),
            select(t("table.foot"), totals, totalOf(view().layer, property), (value) => {
              setTotal(view().layer, name, value as Total);
              redraw();
            }),
          )
        : null,
      h("h4", {}, t("table.column")),
      h(
        "div",
        { class: "row", role: "group", "aria-label": t("table.column") },
        act(t("table.left"), () => move(-1)),
        act(t("table.right"), () => move(1)),
        textButton(t("table.narrower"), () => resize(-WIDER), "button-small"),
        textButton(t("table.wider"), () => resize(WIDER), "button-small"),
        names.length > 1
          ? act(t("table.hide"), () => changeView({ columns: names.filter((one) => one !== name) }))
          : null,
        name === "id" ? null : act(t("table.groupBy"), () => changeView({ group: [name] })),
      ),
    );
  });
}
