/** The frame of the page: header, tabs with their panels, map buttons. */

import type { Map as MapView } from "maplibre-gl";
import { getCity } from "../data";
import { type Child, h, replace } from "../dom";
import { formatDay, formatTime } from "../format";
import { say, t } from "../i18n";
import { type IconName, icon } from "../icons";
import { showCity } from "../map/view";
import { getState, setState, TABS, type Tab, watch } from "../state";
import { iconButton, syntheticBadge } from "./parts";

const TAB_ICONS: Record<Tab, IconName> = {
  layers: "layers",
  flood: "flood",
  networks: "network",
  traffic: "road",
  sensors: "sensor",
  scenario: "scenario",
};
const CLOCK_MS = 10_000;

function cityClock(): HTMLElement {
  const clock = h("time", { class: "clock" });
  const tick = (): void => {
    const now = new Date();
    clock.title = t("app.localTime");
    clock.dateTime = now.toISOString();
    replace(clock, h("strong", {}, formatTime(now)), h("span", {}, formatDay(now)));
  };
  tick();
  setInterval(tick, CLOCK_MS);
  watch(["lang"], tick);
  return clock;
}

/** Build the bar at the top. */
export function makeHeader(): HTMLElement {
  const header = h("header", { class: "header" });
  const clock = cityClock();
  const update = (): void => {
    const { lang, scheme } = getState();
    const city = getCity();
    document.documentElement.lang = lang;
    document.documentElement.dataset["scheme"] = scheme;
    document.title = t("app.title", { city: say(city.title) });
    const logo = h("img", { src: "./icon.svg", alt: "", width: 28, height: 28 });
    const language = h(
      "button",
      {
        type: "button",
        class: "icon-button language",
        "aria-label": t("app.language"),
        title: t("app.language"),
        onclick: () => setState({ lang: lang === "vi" ? "en" : "vi" }),
      },
      t("app.languageShort"),
    );
    const colours = iconButton(
      scheme === "light" ? "moon" : "sun",
      t(scheme === "light" ? "app.dark" : "app.light"),
      () => setState({ scheme: scheme === "light" ? "dark" : "light" }),
    );
    const badge = city.synthetic ? syntheticBadge(t("app.synthetic")) : null;
    if (badge) badge.title = t("app.syntheticHint");
    replace(
      header,
      h("div", { class: "brand" }, logo, h("h1", {}, say(city.title), h("span", {}, t("app.subtitle")))),
      badge,
      h("div", { class: "header-end" }, clock, language, colours),
    );
  };
  update();
  watch(["lang", "scheme"], update);
  return header;
}

/** Build tabs and the panels behind them. A panel is built when it is first opened. */
export function makePanels(build: Record<Tab, () => HTMLElement>): HTMLElement {
  const rail = h("div", { class: "rail", role: "tablist" });
  const built = new Map<Tab, HTMLElement>();
  const body = h("div", { class: "panel", role: "tabpanel", id: "panel" });
  const title = h("h2", { class: "panel-title", id: "panel-title" });
  const closer = h("div");
  const content = h("div", { class: "panel-scroll" });
  body.append(h("div", { class: "panel-head" }, title, closer), content);
  body.setAttribute("aria-labelledby", "panel-title");

  const open = (tab: Tab): void => {
    const { tab: now, panelOpen } = getState();
    setState({ tab, panelOpen: tab === now ? !panelOpen : true });
  };

  const tabButton = (tab: Tab): HTMLElement => {
    const active = getState().panelOpen && getState().tab === tab;
    const button = h(
      "button",
      {
        type: "button",
        role: "tab",
        class: "rail-tab",
        "data-tab": tab,
        "aria-selected": String(active),
        "aria-controls": "panel",
        tabindex: getState().tab === tab ? 0 : -1,
        onclick: () => open(tab),
      },
      icon(TAB_ICONS[tab], 20),
      h("span", {}, t(`tab.${tab}`)),
    );
    return button;
  };

  const update = (): void => {
    const { tab, panelOpen } = getState();
    const hadFocus = rail.contains(document.activeElement);
    rail.setAttribute("aria-label", t("app.panels"));
    replace(rail, ...TABS.map(tabButton));
    if (hadFocus) rail.querySelector<HTMLElement>(`[data-tab="${tab}"]`)?.focus();
    title.textContent = t(`tab.${tab}`);
    replace(
      closer,
      iconButton("close", t("app.closePanel"), () => setState({ panelOpen: false }), "icon-button-quiet"),
    );
    body.hidden = !panelOpen;
    document.documentElement.classList.toggle("panel-open", panelOpen);
    const needsClock = tab !== "networks" && (tab !== "traffic" || getState().traffic === "water");
    document.documentElement.classList.toggle("clockless", !needsClock);
    if (!panelOpen) return;
    if (!built.has(tab)) {
      const panel = build[tab]();
      built.set(tab, panel);
      content.append(panel);
    }
    for (const [name, panel] of built) panel.hidden = name !== tab;
  };

  rail.addEventListener("keydown", (event) => {
    const move = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const place = (TABS.indexOf(getState().tab) + move + TABS.length) % TABS.length;
    setState({ tab: TABS[place]!, panelOpen: true });
  });
  update();
  watch(["tab", "panelOpen", "lang", "traffic"], update);
  return h("nav", { class: "side", "aria-label": t("app.panels") }, rail, body);
}

/** Build the map's own buttons. */
export function makeMapButtons(map: MapView): HTMLElement {
  const holder = h("div", { class: "map-buttons" });
  const update = (): void => {
    const { threeD } = getState();
    const turned = Math.abs(map.getBearing()) > 0.5;
    const cube = iconButton("cube", t(threeD ? "map.twoD" : "map.threeD"), () => setState({ threeD: !threeD }));
    cube.setAttribute("aria-pressed", String(threeD));
    const buttons: Child[] = [
      iconButton("plus", t("map.zoomIn"), () => map.zoomIn()),
      iconButton("minus", t("map.zoomOut"), () => map.zoomOut()),
      iconButton("home", t("map.home"), () => showCity(map)),
      cube,
      turned ? iconButton("target", t("map.north"), () => map.easeTo({ bearing: 0 })) : null,
    ];
    replace(holder, ...buttons);
  };
  update();
  watch(["lang", "threeD"], update);
  map.on("rotateend", update);
  return holder;
}
