/** One indicator as a tile: value, state in colour, word and icon, why, and the last hours. */

import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { say, t } from "../i18n";
import { icon, themeIcon } from "../icons";
import { type Indicator, isCount, STATE_ICONS, sayAge, writeValue } from "./indicator";
import { sparkline } from "./sparkline";

export interface Tile {
  element: HTMLElement;
  update: (one: Indicator) => void;
}

/** Say whether it rises or falls, where that is known. */
function sayChange(one: Indicator): HTMLElement | null {
  if (one.change === null || Math.abs(one.change) < 0.5 * 10 ** -one.digits) return null;
  const words = t(one.change > 0 ? "wall.up" : "wall.down", {
    change: `${formatNumber(Math.abs(one.change), one.digits)} ${one.symbol}`.trim(),
  });
  return h(
    "span",
    { class: "tile-change", title: words, "aria-label": words, role: "img" },
    one.change > 0 ? "▲" : "▼",
  );
}

/** The chip that tells a state. */
export const stateChip = (one: Indicator): HTMLElement =>
  h("span", { class: `state state-${one.state}` }, icon(STATE_ICONS[one.state], 16), say(one.state_title));

/** Build a tile; `onclick` shows what is behind it. */
export function makeTile(first: Indicator, onclick: ((id: string) => void) | null): Tile {
  const element = h("article", { "data-indicator": first.id });
  const update = (one: Indicator): void => {
    const [value, unit] = writeValue(one);
    element.className = `tile tile-${one.state}`;
    const title = say(one.title);
    replace(
      element,
      h(
        "h2",
        { class: "tile-title" },
        icon(themeIcon(one.theme), 18),
        onclick ? h("button", { type: "button", class: "tile-open", onclick: () => onclick(one.id) }, title) : title,
      ),
      h(
        "p",
        { class: "tile-value" },
        h("strong", {}, value),
        h("span", {}, unit, isCount(one) ? t("wall.of", { of: formatNumber(one.of, 0) }) : null),
        sayChange(one),
      ),
      sparkline(one.recent),
      h(
        "p",
        { class: "tile-foot" },
        stateChip(one),
        h("span", { class: "tile-time" }, sayAge(one.time)),
        h("span", { class: "tile-reason" }, say(one.reason)),
      ),
    );
  };
  update(first);
  return { element, update };
}
