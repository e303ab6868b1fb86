/** The bar of the wall: city, line to the server, age of the data, clock. */

import { getCity } from "../data";
import { h, replace } from "../dom";
import { formatDay, formatTime } from "../format";
import { say, t } from "../i18n";
import { icon } from "../icons";
import { iconButton, syntheticBadge, textButton } from "../panels/parts";
import type { Line } from "./feed";
import { type Indicator, sayAge } from "./indicator";
import { stateChip } from "./tile";

const TICK_MS = 5_000;

export interface Head {
  element: HTMLElement;
  line: (line: Line) => void;
  /** Show how fresh the data are. */
  fresh: (one: Indicator) => void;
  retell: () => void;
}

async function toggleFullScreen(): Promise<void> {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen();
}

/** Build the bar. */
export function makeHead(choose: () => void): Head {
  const brand = h("h1", {});
  const line = h("p", { class: "wall-line", role: "status" });
  const age = h("p", { class: "wall-age" });
  const clock = h("time", { class: "wall-clock" });
  const buttons = h("div", { class: "wall-buttons" });
  const element = h("header", { class: "wall-head" }, brand, line, age, buttons, clock);
  let current: Line | null = null;
  let freshness: Indicator | null = null;

  const tell = (): void => {
    const now = new Date();
    clock.dateTime = now.toISOString();
    replace(clock, h("strong", {}, formatTime(now)), h("span", {}, formatDay(now)));
    if (freshness) {
      replace(age, stateChip(freshness), h("span", {}, t("wall.newest", { age: sayAge(freshness.time) })));
    }
  };
  const tellLine = (): void => {
    const state = current ?? "polling";
    line.className = `wall-line wall-line-${state}`;
    const words = current ? t(`wall.line_${state}`) : t("wall.connecting");
    replace(line, icon(state === "live" ? "check" : "warning", 18), words);
  };
  const retell = (): void => {
    const city = getCity();
    document.title = t("wall.title", { city: say(city.title) });
    replace(
      brand,
      say(city.title),
      h("span", {}, t("wall.subtitle")),
      city.synthetic ? syntheticBadge(t("app.synthetic")) : null,
    );
    replace(
      buttons,
      textButton(t("wall.choose"), choose, "button-small", "layers"),
      document.fullscreenEnabled ? iconButton("expand", t("wall.fullScreen"), () => void toggleFullScreen()) : null,
      h("a", { class: "button button-small", href: "./" }, t("wall.viewer")),
    );
    tellLine();
    tell();
  };
  setInterval(tell, TICK_MS);
  return {
    element,
    line: (next) => {
      current = next;
      tellLine();
    },
    fresh: (one) => {
      freshness = one;
      tell();
    },
    retell,
  };
}
