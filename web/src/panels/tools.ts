/** A panel of several uses: a row of tabs, and the part for the chosen one; what it draws gives way to the next. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { drawFlags, drawNetwork } from "../map/network";
import { getState, type State, type Tab, watch } from "../state";

/** The part of a panel for one use; it is told when it comes on the screen and when it goes. */
export interface Part {
  element: HTMLElement;
  show?: () => void;
  hide?: () => void;
}

export interface Uses<Use extends string> {
  tab: Tab;
  uses: readonly Use[];
  /** The key of the state that holds the chosen use. */
  key: keyof State;
  chosen: () => Use;
  choose: (use: Use) => void;
  title: (use: Use) => string;
  build: (use: Use) => Part;
}

/** The panel whose drawing is on the map. */
let drawer: Tab | null = null;

/** Build the panel. */
export function makeTools<Use extends string>(map: MapView, of: Uses<Use>): HTMLElement {
  const id = `${of.tab}-tool`;
  const tabs = h("div", { class: "segments", role: "tablist" });
  const body = h("div", { id, role: "tabpanel" });
  const parts = new Map<Use, Part>();
  let shown: Part | null = null;

  const tabButton = (use: Use): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        class: "segment",
        "data-tool": use,
        "aria-controls": id,
        "aria-selected": String(of.chosen() === use),
        onclick: () => of.choose(use),
      },
      of.title(use),
    );
  const showTabs = (): void => {
    const hadFocus = tabs.contains(document.activeElement);
    tabs.setAttribute("aria-label", t(`tab.${of.tab}`));
    replace(tabs, ...of.uses.map(tabButton));
    if (hadFocus) tabs.querySelector<HTMLElement>(`[data-tool="${of.chosen()}"]`)?.focus();
  };
  const update = (): void => {
    showTabs();
    if (getState().tab !== of.tab) return;
    const use = of.chosen();
    const part = parts.get(use) ?? of.build(use);
    if (part === shown && drawer === of.tab) return;
    parts.set(use, part);
    if (part !== shown) shown?.hide?.();
    drawer = of.tab;
    drawNetwork(map, null);
    drawFlags(map, []);
    replace(body, part.element);
    shown = part;
    part.show?.();
  };
  update();
  watch([of.key, "lang", "tab"], update);
  return h("div", { class: "panel-body" }, tabs, body);
}
