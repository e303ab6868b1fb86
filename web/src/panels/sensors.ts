/** The list of sensors with their newest readings, the alarmed ones first. */

import { ALARM_COLORS, alarmLevel, isStale, mainDatastream, sensorKind } from "../alarm";
import { onData, refreshSensors, sensors, sensorsError, sensorsRead } from "../data";
import { fold, h, replace } from "../dom";
import { formatReading, formatShortDateTime, formatTime } from "../format";
import { type Key, say, t } from "../i18n";
import { icon } from "../icons";
import { setState, watch } from "../state";
import type { Sensor } from "../types";
import { empty, failure, swatch } from "./parts";

let search = "";

function sensorRow(sensor: Sensor): HTMLElement {
  const stream = mainDatastream(sensor);
  const level = alarmLevel(sensor);
  const kind = sensorKind(sensor.properties.kind);
  const reading = formatReading(stream?.result, stream?.unit, sensor.properties.kind);
  const time = stream?.phenomenon_time ? formatShortDateTime(stream.phenomenon_time) : t("sensors.noReading");
  const alarm =
    level > 0
      ? h("span", { class: "badge", style: `--badge:${ALARM_COLORS[level]}` }, t(`alarm.${level}` as Key))
      : null;
  return h(
    "li",
    { "data-sensor": sensor.id },
    h(
      "button",
      {
        type: "button",
        class: "sensor-row",
        onclick: () => setState({ place: null, selection: { layer: "sensors", id: sensor.id } }),
      },
      swatch(kind?.color ?? "#1f6fb2", "circle"),
      h(
        "span",
        { class: "sensor-name" },
        h("span", {}, sensor.properties.name),
        h("span", { class: "soft" }, `${say(kind?.label, sensor.properties.kind)} · ${time}`),
      ),
      h(
        "span",
        { class: "sensor-reading" },
        h("strong", {}, reading),
        alarm ?? (isStale(stream) ? h("span", { class: "soft" }, t("sensors.stale")) : null),
      ),
    ),
  );
}

/** Build the panel; it follows the readings and the language. */
export function sensorsPanel(): HTMLElement {
  const list = h("div");
  const field = h("input", {
    type: "search",
    class: "search-field",
    autocomplete: "off",
    oninput: (event) => {
      search = (event.target as HTMLInputElement).value.trim();
      update();
    },
  });
  const update = (): void => {
    field.placeholder = t("sensors.search");
    field.setAttribute("aria-label", t("sensors.search"));
    const found = sensors
      .filter((sensor) => fold(`${sensor.properties.name} ${sensor.id}`).includes(fold(search)))
      .sort((a, b) => alarmLevel(b) - alarmLevel(a) || a.properties.name.localeCompare(b.properties.name, "vi"));
    replace(
      list,
      sensorsError ? failure(sensorsError, () => void refreshSensors()) : null,
      found.length === 0 && !sensorsError ? empty(t("sensors.none")) : null,
      h("ul", { class: "plain-list" }, ...found.map(sensorRow)),
      sensorsRead ? h("p", { class: "soft note" }, t("sensors.updated", { time: formatTime(sensorsRead) })) : null,
    );
  };
  update();
  onData("sensors", update);
  watch(["lang"], update);
  return h("div", { class: "panel-body" }, h("div", { class: "search" }, icon("search", 16), field), list);
}
