/** The frame of the page: the rail of tabs and the panels behind them. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { type IconName, icon } from "../icons";
import { getState, type State, setState, TABS, type Tab, watch } from "../state";
import { iconButton } from "./parts";

const TAB_ICONS: Record<Tab, IconName> = {
  layers: "layers",
  planning: "plan",
  flood: "flood",
  scenario: "scenario",
  networks: "network",
  traffic: "road",
  inventory: "table",
  sensors: "sensor",
  alarms: "bell",
};

/** Whether what is looked at has a moment in the run of a flood, so that the time slider belongs on the screen. */
function needsClock({ tab, traffic }: Readonly<State>): boolean {
  if (tab === "traffic") return traffic === "water";
  return tab === "layers" || tab === "flood" || tab === "scenario" || tab === "sensors";
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
    document.documentElement.classList.toggle("clockless", !needsClock(getState()));
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
