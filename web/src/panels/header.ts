/** The bar at the top: the city's name, search, clock, tools, language and colours. */

import type { Map as MapView } from "maplibre-gl";
import { accountButton } from "../account/button";
import { readMe, watchMe } from "../account/me";
import { getCity } from "../data";
import { h, replace } from "../dom";
import { formatDay, formatTime } from "../format";
import { addWords, say, t } from "../i18n";
import { toolsEn } from "../i18n/tools-en";
import { toolsVi } from "../i18n/tools-vi";
import { getState, setState, watch } from "../state";
import { MAP_TOOLS, openTool, PAGE_TOOLS, toolIcon, toolLabel } from "../tools/launch";
import { makeMenu } from "../tools/menu";
import { makeSearch } from "../tools/search";
import { listenToKeys } from "../tools/shortcuts";
import { iconButton, syntheticBadge } from "./parts";
import "../styles/tools.css";

addWords({ vi: toolsVi, en: toolsEn });

const CLOCK_MS = 10_000;
const PHONE = "(max-width: 640px)";

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

/** Links that take the keyboard past the header. */
function makeSkips(map: MapView): HTMLElement {
  const skips = h("div", { class: "skips" });
  const goToPanel = (): void => {
    setState({ panelOpen: true });
    const panel = document.getElementById("panel");
    panel?.setAttribute("tabindex", "-1");
    panel?.focus();
  };
  const skip = (words: string, go: () => void): HTMLElement =>
    h("button", { type: "button", class: "skip", onclick: go }, words);
  const update = (): void =>
    replace(
      skips,
      skip(t("keys.toMap"), () => map.getCanvas().focus()),
      skip(t("keys.toPanel"), goToPanel),
    );
  update();
  watch(["lang"], update);
  return skips;
}

function languageButton(): HTMLElement {
  const toOther = (): void => setState({ lang: getState().lang === "vi" ? "en" : "vi" });
  const [short, label] = [t("app.languageShort"), t("app.language")];
  return h(
    "button",
    {
      type: "button",
      class: "icon-button language",
      "aria-label": `${short}: ${label}`,
      title: label,
      onclick: toOther,
    },
    short,
  );
}

function coloursButton(): HTMLElement {
  const { scheme } = getState();
  const isLight = scheme === "light";
  return iconButton(isLight ? "moon" : "sun", t(isLight ? "app.dark" : "app.light"), () =>
    setState({ scheme: isLight ? "dark" : "light" }),
  );
}

/** Build the bar at the top. */
export function makeHeader(map: MapView): HTMLElement {
  const brand = h("div", { class: "brand" });
  const end = h("div", { class: "header-end" });
  const clock = cityClock();
  const header = h("header", { class: "header" });
  const setSeeking = (seeking: boolean): void => {
    header.classList.toggle("seeking", seeking);
    if (seeking) search.focus();
  };
  const search = makeSearch(map, () => {
    setSeeking(false);
    if (matchMedia(PHONE).matches) setState({ panelOpen: false });
  });
  const menu = makeMenu(
    [...MAP_TOOLS, ...PAGE_TOOLS].map((name) => ({
      icon: toolIcon(name),
      label: () => toolLabel(name),
      run: () => openTool(map, name),
    })),
  );
  // On a phone the box takes the place of the header until it is left.
  search.element.addEventListener("focusout", () => header.classList.remove("seeking"));
  const badgeHolder = h("span", { class: "header-badge" });
  header.append(makeSkips(map), brand, badgeHolder, search.element, end);

  const update = (): void => {
    const { lang, scheme } = getState();
    const city = getCity();
    document.documentElement.lang = lang;
    document.documentElement.dataset["scheme"] = scheme;
    document.title = t("app.title", { city: say(city.title) });
    const logo = h("img", { src: "./icon.svg", alt: "", width: 28, height: 28 });
    replace(brand, logo, h("h1", {}, say(city.title), h("span", {}, t("app.subtitle"))));
    const badge = city.synthetic ? syntheticBadge(t("app.synthetic")) : null;
    if (badge) badge.title = t("app.syntheticHint");
    replace(badgeHolder, badge);
    const focused = document.activeElement instanceof HTMLElement && end.contains(document.activeElement);
    const place = focused ? [...end.children].indexOf(document.activeElement as Element) : -1;
    replace(
      end,
      clock,
      iconButton("search", t("seek.label"), () => setSeeking(true), "phone-only"),
      menu.button(),
      ...PAGE_TOOLS.map((name) => iconButton(toolIcon(name), toolLabel(name), () => openTool(map, name), "not-phone")),
      languageButton(),
      coloursButton(),
      accountButton(),
    );
    if (place >= 0) (end.children[place] as HTMLElement).focus();
  };
  update();
  watch(["lang", "scheme"], update);
  watchMe(update);
  // Not while the map is being put together.
  map.once("idle", () => void readMe().catch(() => undefined));
  listenToKeys({ "/": () => setSeeking(true), "?": () => openTool(map, "keys") });
  return header;
}
