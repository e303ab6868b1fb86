/** The bars of the table: layers as tabs, what narrows the rows, what is done with them. */

import { findVectorLayer, getCatalog } from "../data";
import { type Child, h, replace } from "../dom";
import { formatNumber, parseCityTime, parseMoment, writeCityTime } from "../format";
import { say, t } from "../i18n";
import { icon } from "../icons";
import { iconButton, select, textButton } from "../panels/parts";
import type { VectorLayer } from "../types";
import { chosenOf } from "./chosen";
import { sayTest } from "./test-fields";
import { isTraceable } from "./trace-from";
import { addView, changeView, closeView, newView, propertiesOf, tables, type View } from "./view";

const TYPING_MS = 400;
const LONGEST_WORDS = 60;

export interface BarAsks {
  isFull: () => boolean;
  toggleFull: () => void;
  closeAll: () => void;
  isChosenOnly: () => boolean;
  toggleChosenOnly: () => void;
  columns: (anchor: Element) => void;
  export: (anchor: Element) => void;
  zoom: () => void;
  copy: () => void;
  bulk: () => void;
  trace: () => void;
}

function layerTab(view: View, at: number, active: number): HTMLElement {
  return h(
    "button",
    {
      type: "button",
      role: "tab",
      class: "dock-tab",
      "aria-selected": String(at === active),
      "aria-controls": "table-body",
      tabindex: at === active ? 0 : -1,
      onclick: () => tables.set({ ...tables.get(), active: at }),
    },
    say(findVectorLayer(view.layer)?.title, view.layer),
  );
}

function addLayer(): HTMLElement {
  const layers = getCatalog()
    .themes.flatMap((theme) => theme.layers)
    .filter((layer): layer is VectorLayer => layer.kind === "vector" && layer.count > 0)
    .map((layer) => ({ value: layer.id, label: say(layer.title) }))
    .sort((a, b) => a.label.localeCompare(b.label, "vi"));
  const box = select(t("table.addLayer"), [{ value: "", label: t("table.addLayer") }, ...layers], "", (layer) => {
    if (layer) addView(newView(layer));
  });
  box.classList.add("dock-add");
  return box;
}

/** Make the bar of open layers. */
export function makeTabs(asks: BarAsks): { element: HTMLElement; show: () => void } {
  const tabs = h("div", { class: "dock-tabs", role: "tablist" });
  const end = h("div", { class: "dock-end" });
  const element = h("div", { class: "dock-head" }, tabs, end);
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const { views, active } = tables.get();
    if (!step) return;
    event.preventDefault();
    tables.set({ ...tables.get(), active: (active + step + views.length) % views.length });
  });
  const show = (): void => {
    const { views, active } = tables.get();
    const hadFocus = tabs.contains(document.activeElement);
    tabs.setAttribute("aria-label", t("table.layers"));
    replace(tabs, ...views.map((view, at) => layerTab(view, at, active)));
    if (hadFocus) tabs.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
    const title = say(findVectorLayer(views[active]?.layer ?? "")?.title);
    replace(
      end,
      addLayer(),
      views.length > 1
        ? iconButton("minus", t("table.closeLayer", { layer: title }), () => closeView(active), "icon-button-quiet")
        : null,
      iconButton(
        "full",
        t(asks.isFull() ? "table.lower" : "table.full"),
        asks.toggleFull,
        "icon-button-quiet dock-full",
      ),
      iconButton("close", t("table.close"), asks.closeAll, "icon-button-quiet"),
    );
  };
  return { element, show };
}

function pressed(label: string, on: boolean, onclick: () => void): HTMLElement {
  const button = textButton(label, onclick, "button-small button-toggle");
  button.setAttribute("aria-pressed", String(on));
  return button;
}

/** The moment of the history that is read. */
function historyField(view: View): HTMLElement {
  const moment = parseMoment(view.at);
  const box = h("input", {
    type: "datetime-local",
    class: "input dock-at",
    "aria-label": t("table.at"),
    title: t("table.at"),
    onchange: (event) => {
      const given = parseCityTime((event.target as HTMLInputElement).value);
      changeView({ at: given ? `${given.toISOString().slice(0, 19)}Z` : null });
    },
  });
  box.value = moment ? writeCityTime(moment) : "";
  return box;
}

/** Make the bar above the rows. */
export function makeBar(asks: BarAsks): { element: HTMLElement; show: (view: View, count: string) => void } {
  const element = h("div", { class: "dock-bar" });
  const count = h("span", { class: "dock-count", role: "status" });
  let typing = 0;
  let drawn = "";
  const words = h("input", {
    type: "search",
    class: "input dock-words",
    oninput: () => {
      clearTimeout(typing);
      typing = window.setTimeout(() => changeView({ words: words.value.trim() }), TYPING_MS);
    },
  });
  const show = (view: View, counted: string): void => {
    const ticked = chosenOf(view.layer).size;
    const mark = ticked > 0 ? ` · ${t("table.ticked", { count: formatNumber(ticked, 0) })}` : "";
    if (count.textContent !== counted + mark) count.textContent = counted + mark;
    const grouped = view.group.length > 0;
    const key = JSON.stringify([view, ticked, asks.isChosenOnly(), document.documentElement.lang]);
    if (key === drawn) return;
    drawn = key;
    const focused = element.contains(document.activeElement) ? document.activeElement?.getAttribute("data-bar") : null;
    words.placeholder = t("table.words");
    words.setAttribute("aria-label", t("table.words"));
    if (document.activeElement !== words) words.value = view.words;
    const button = (name: string, child: HTMLElement): HTMLElement => {
      child.setAttribute("data-bar", name);
      return child;
    };
    const opener = (name: string, label: string, open: (anchor: Element) => void): HTMLElement => {
      const child = textButton(label, (event) => open(event.currentTarget as Element), "button-small");
      child.setAttribute("aria-haspopup", "true");
      return button(name, child);
    };
    replace(
      element,
      count,
      words,
      button(
        "view",
        pressed(t("table.inView"), view.inView, () => changeView({ inView: !view.inView })),
      ),
      button(
        "mark",
        pressed(t("table.mark"), view.marked, () => changeView({ marked: !view.marked })),
      ),
      ticked > 0 || asks.isChosenOnly()
        ? button("only", pressed(t("table.onlyTicked"), asks.isChosenOnly(), asks.toggleChosenOnly))
        : null,
      button(
        "group",
        pressed(t("table.group"), grouped, () =>
          changeView({
            group: grouped
              ? []
              : [
                  findVectorLayer("wards")?.count && view.layer !== "wards"
                    ? "inside(wards)"
                    : propertiesOf(view.layer)[1]!.name,
                ],
          }),
        ),
      ),
      grouped ? null : opener("columns", t("table.columns"), asks.columns),
      historyField(view),
      h("span", { class: "dock-gap" }),
      grouped ? null : button("zoom", textButton(t("card.zoom"), asks.zoom, "button-small", "target")),
      ticked > 0 ? button("copy", textButton(t("table.copy"), asks.copy, "button-small")) : null,
      ticked > 0 && isTraceable(view.layer)
        ? button("trace", textButton(t("table.traceTicked"), asks.trace, "button-small", "network"))
        : null,
      ticked > 0 ? button("bulk", textButton(t("table.bulk"), asks.bulk, "button-small")) : null,
      opener("export", t("table.export"), asks.export),
    );
    if (focused) element.querySelector<HTMLElement>(`[data-bar="${focused}"]`)?.focus();
  };
  return { element, show };
}

const short = (text: string): string => (text.length > LONGEST_WORDS ? `${text.slice(0, LONGEST_WORDS)}…` : text);

/** Build the line of filters that are in force, each to be taken away. */
export function filterChips(view: View): HTMLElement | null {
  const chip = (words: string, full: string, clear: () => void): HTMLElement =>
    h(
      "span",
      { class: "filter-chip", title: full },
      h("span", {}, words),
      h(
        "button",
        { type: "button", "aria-label": t("table.remove", { filter: words }), onclick: clear },
        icon("close", 12),
      ),
    );
  const all = propertiesOf(view.layer);
  const chips: Child[] = [
    view.where ? chip(short(view.where), view.where, () => changeView({ where: "" })) : null,
    ...view.tests.map((test) => {
      const property = all.find(({ name }) => name === test.name);
      const words = property ? sayTest(test, property) : test.name;
      return chip(short(words), words, () => changeView({ tests: view.tests.filter((one) => one !== test) }));
    }),
    view.at ? chip(t("table.past"), view.at, () => changeView({ at: null })) : null,
  ].filter(Boolean);
  return chips.length > 0
    ? h("div", { class: "filter-chips", "aria-label": t("table.filters"), role: "group" }, ...chips)
    : null;
}
