/** A widget for a frame in somebody else's page: one indicator, a gauge, the alarms, a small map. */

import "../styles/fonts.css";
import "../styles/base.css";
import "../styles/panels.css";
import "../styles/alarms.css";
import "../styles/wall.css";
import { makeStanding } from "../alarms/standing";
import { findLayer, followSensors, getCity, onData, refreshSensors } from "../data";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { empty } from "../panels/parts";
import { makeCityPart } from "../wall/city-part";
import { makeFan } from "../wall/fan";
import { followIndicators } from "../wall/feed";
import { readIndicators } from "../wall/indicator";
import { startPage } from "../wall/start";
import { makeTile } from "../wall/tile";
import { KINDS } from "./kinds";

const SLOW_MS = 5 * 60_000;

async function buildIndicator(holder: HTMLElement, id: string): Promise<void> {
  const [first] = await readIndicators(`?ids=${encodeURIComponent(id)}`);
  if (!first) return;
  const tile = makeTile(first, null);
  replace(holder, tile.element);
  const update = (changed: readonly (typeof first)[]): void => {
    const one = changed.find((each) => each.id === id);
    if (one) tile.update(one);
  };
  followIndicators({ indicators: update, alarm: () => undefined, line: () => undefined }, [id]);
}

async function buildGauge(holder: HTMLElement, id: string): Promise<void> {
  const fan = makeFan(id);
  replace(holder, fan.element);
  await refreshSensors();
  await fan.refresh();
  followSensors();
  setInterval(() => void fan.refresh(), SLOW_MS);
}

async function buildAlarms(holder: HTMLElement): Promise<void> {
  const standing = makeStanding(() => undefined);
  replace(holder, standing.element);
  await standing.refresh();
  followIndicators(
    { indicators: () => void standing.refresh(), alarm: () => void standing.refresh(), line: () => undefined },
    ["alarms_open"],
  );
}

async function buildMap(holder: HTMLElement, parameters: URLSearchParams): Promise<void> {
  const asked = parameters.get("layers");
  const layers = asked === null ? null : asked.split(",").filter((id) => findLayer(id));
  const gauges = layers === null || layers.includes("sensors");
  const city = makeCityPart({ layers, gauges, flood: parameters.get("flood") !== "no" });
  replace(holder, city.element);
  await Promise.all([refreshSensors(), city.start()]);
  city.drawGauges();
  onData("sensors", city.drawGauges);
  followSensors();
  setInterval(() => void city.refreshFlood(), SLOW_MS);
}

startPage("light", async (app, parameters) => {
  const city = getCity();
  const kind = KINDS.find((one) => one === parameters.get("type"));
  const holder = h("main", { class: `widget-body widget-${kind ?? "none"}` });
  const foot = h(
    "footer",
    { class: "widget-foot" },
    h("a", { href: "./", target: "_blank", rel: "noopener" }, say(city.title)),
    city.synthetic ? h("span", { class: "soft" }, t("app.synthetic")) : null,
  );
  replace(app, h("div", { class: "widget" }, holder, foot));
  document.title = say(city.title);
  const id = parameters.get("id") ?? "";
  if (kind === "indicator") await buildIndicator(holder, id);
  else if (kind === "gauge") await buildGauge(holder, id || (city.main_gauge ?? ""));
  else if (kind === "alarms") await buildAlarms(holder);
  else if (kind === "map") await buildMap(holder, parameters);
  else replace(holder, empty(t("widget.unknown")));
});
