/** The bar at the top: the city's name, its clock, language and colours. */

import { getCity } from "../data";
import { h, replace } from "../dom";
import { formatDay, formatTime } from "../format";
import { say, t } from "../i18n";
import { getState, setState, watch } from "../state";
import { iconButton, syntheticBadge } from "./parts";

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
