/** The wall: the city's indicators, its map, the main gauge, the alarms; for a large screen that nobody touches. */

import "../styles/fonts.css";
import "../styles/base.css";
import "../styles/panels.css";
import "../styles/alarms.css";
import "../styles/wall.css";
import { makeStanding } from "../alarms/standing";
import { followSensors, getCity, onData, refreshSensors } from "../data";
import { h, replace } from "../dom";
import { getState, watch } from "../state";
import { chooseTiles } from "./choose";
import { makeCityPart } from "./city-part";
import { showDetails } from "./details";
import { makeFan } from "./fan";
import { followIndicators } from "./feed";
import { makeHead } from "./head";
import { type Indicator, readIndicators } from "./indicator";
import { makePages } from "./pages";
import { readSettings, type Settings, writeSettings } from "./settings";
import { startPage } from "./start";

const SLOW_MS = 5 * 60_000;
/** Early in the morning a wall that ran for days begins anew. */
const FRESH_HOUR = 3;
const DAY_MS = 24 * 3600e3;
const FRESHNESS = "sensors_fresh";

function soon(run: () => void, ms: number): () => void {
  let waiting = 0;
  return () => {
    if (waiting) return;
    waiting = window.setTimeout(() => {
      waiting = 0;
      run();
    }, ms);
  };
}

/** Load the page anew once a night, when it has lived for most of a day. */
function renewNightly(): void {
  const born = Date.now();
  setInterval(() => {
    const old = Date.now() - born > DAY_MS * 0.8;
    if (old && new Date().getHours() === FRESH_HOUR && navigator.onLine) location.reload();
  }, SLOW_MS);
}

startPage("dark", async (app, parameters) => {
  const known = new Map<string, Indicator>();
  const pages = makePages((id) => {
    const one = known.get(id);
    if (one) showDetails(one);
  });
  const learn = (changed: Indicator[]): void => {
    for (const one of changed) known.set(one.id, one);
    pages.update(changed);
    const fresh = known.get(FRESHNESS);
    if (fresh) head.fresh(fresh);
    if (changed.some((one) => one.id.startsWith("flooded_area"))) void city.refreshFlood();
  };
  let settings: Settings;
  const apply = (next: Settings): void => {
    settings = next;
    writeSettings(settings, getState().lang, getState().scheme);
    pages.arrange(settings.tiles, settings.rotate);
  };
  const head = makeHead(() => chooseTiles([...known.values()], () => settings, apply));
  const first = await readIndicators();
  const city = makeCityPart();
  const gauge = getCity().main_gauge;
  const fan = gauge ? makeFan(gauge) : null;
  const standing = makeStanding((alarms) => city.drawAlarms(alarms));
  replace(
    app,
    h(
      "div",
      { class: "wall" },
      head.element,
      h("main", { class: "wall-body" }, pages.element, city.element, fan?.element, standing.element),
    ),
  );
  head.retell();
  learn(first);
  apply(readSettings(parameters, [...known.keys()]));
  followIndicators({
    indicators: learn,
    alarm: soon(() => void standing.refresh(), 1_000),
    line: head.line,
  });
  const redrawFan = soon(() => void fan?.refresh(), 2_000);
  onData("sensors", () => {
    city.drawGauges();
    redrawFan();
  });
  setInterval(() => {
    void city.refreshFlood();
    void standing.refresh();
    redrawFan();
    pages.retell();
  }, SLOW_MS);
  const retell = (): void => {
    document.documentElement.lang = getState().lang;
    head.retell();
    pages.retell();
    standing.retell();
    city.retell();
    redrawFan();
    writeSettings(settings, getState().lang, getState().scheme);
  };
  watch(["lang"], retell);
  watch(["scheme"], ({ scheme }) => {
    document.documentElement.dataset["scheme"] = scheme;
    void city.redraw();
    retell();
  });
  renewNightly();
  await Promise.all([refreshSensors(), standing.refresh(), city.start()]);
  followSensors();
});
