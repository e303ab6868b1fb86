/** The list of sensors with their newest readings, the alarmed ones first; it follows changes row by row. */

import { ALARM_COLORS, alarmLevel, isStale, mainDatastream, sensorKind } from "../alarm";
import { onData, refreshSensors, sensors, sensorsError, sensorsRead } from "../data";
import { fold, h, replace } from "../dom";
import { formatReading, formatShortDateTime, formatTime } from "../format";
import { type Key, say, t } from "../i18n";
import { icon } from "../icons";
import { getState, setState, watch } from "../state";
import type { Sensor } from "../types";
import { empty, failure, swatch } from "./parts";

const MOST_ROWS = 300;

let search = "";
let kind = "";

function sensorRow(sensor: Sensor): HTMLElement {
  const stream = mainDatastream(sensor);
  const level = alarmLevel(sensor);
  const entry = sensorKind(sensor.properties.kind);
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
      swatch(entry?.color ?? "#1f6fb2", "circle"),
      h(
        "span",
        { class: "sensor-name" },
        h("span", {}, sensor.properties.name),
        h("span", { class: "soft" }, `${say(entry?.label, sensor.properties.kind)} · ${time}`),
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

/** What a row shows, to see whether it must be built anew. */
function describeRow(sensor: Sensor): string {
  const stream = mainDatastream(sensor);
  return JSON.stringify([
    getState().lang,
    sensor.properties.name,
    sensor.properties.kind,
    stream?.result,
    stream?.phenomenon_time,
    alarmLevel(sensor),
    isStale(stream),
  ]);
}

/** Build a list that keeps the rows that did not change, so that focus and pointer stay where they are. */
function makeList(): { element: HTMLElement; show: (shown: Sensor[]) => void } {
  const element = h("ul", { class: "plain-list" });
  let rows = new Map<string, { said: string; row: HTMLElement }>();
  const show = (shown: Sensor[]): void => {
    const next: typeof rows = new Map();
    for (const sensor of shown) {
      const said = describeRow(sensor);
      const before = rows.get(sensor.id);
      if (before?.said === said) {
        next.set(sensor.id, before);
        continue;
      }
      const row = sensorRow(sensor);
      const focused = before?.row.contains(document.activeElement);
      before?.row.replaceWith(row);
      if (focused) row.querySelector("button")?.focus();
      next.set(sensor.id, { said, row });
    }
    if ([...next.keys()].join("\n") !== [...rows.keys()].join("\n") || element.childElementCount !== next.size)
      element.replaceChildren(...[...next.values()].map((entry) => entry.row));
    rows = next;
  };
  return { element, show };
}

/** Build the choice of a kind among those there are. */
function fillKinds(select: HTMLSelectElement): void {
  const kinds = [...new Set(sensors.map((sensor) => sensor.properties.kind))];
  const options = kinds.map((value) => ({ value, label: say(sensorKind(value)?.label, value) }));
  options.sort((a, b) => a.label.localeCompare(b.label, getState().lang));
  select.setAttribute("aria-label", t("sensors.kind"));
  replace(
    select,
    h("option", { value: "" }, t("sensors.allKinds")),
    ...options.map(({ value, label }) => h("option", { value, selected: value === kind }, label)),
  );
  select.hidden = kinds.length < 2;
}

/** Build the panel; it follows the readings and the language. */
export function sensorsPanel(): HTMLElement {
  const before = h("div");
  const after = h("div");
  const list = makeList();
  const select = h("select", {
    class: "select",
    onchange: () => {
      kind = select.value;
      update();
    },
  });
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
    if (document.activeElement !== select) fillKinds(select);
    const found = sensors
      .filter((sensor) => !kind || sensor.properties.kind === kind)
      .filter((sensor) => fold(`${sensor.properties.name} ${sensor.id}`).includes(fold(search)))
      .sort((a, b) => alarmLevel(b) - alarmLevel(a) || a.properties.name.localeCompare(b.properties.name, "vi"));
    replace(
      before,
      sensorsError ? failure(sensorsError, () => void refreshSensors()) : null,
      found.length === 0 && !sensorsError ? empty(t("sensors.none")) : null,
    );
    list.show(found.slice(0, MOST_ROWS));
    const more = found.length - MOST_ROWS;
    replace(
      after,
      more > 0 ? h("p", { class: "soft note" }, t("sensors.more", { count: String(more) })) : null,
      sensorsRead ? h("p", { class: "soft note" }, t("sensors.updated", { time: formatTime(sensorsRead) })) : null,
    );
  };
  update();
  onData("sensors", update);
  watch(["lang"], update);
  const find = h("div", { class: "search" }, icon("search", 16), field);
  return h("div", { class: "panel-body" }, find, select, before, list.element, after);
}
