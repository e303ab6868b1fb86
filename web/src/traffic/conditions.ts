/** What ways and reach have in common: the vehicle, when one leaves, and the water that stands on the roads. */

import { readRun } from "../api";
import { onData, runs } from "../data";
import { type Child, h, replace } from "../dom";
import { formatShortDateTime, parseCityTime, parseMoment, writeCityTime } from "../format";
import { say, t } from "../i18n";
import { select } from "../panels/parts";
import { getState, setState, watch } from "../state";
import type { Run } from "../types";
import { type Journey, MODES, type Mode } from "./journey";

const SIZES = ["height", "width", "weight"] as const;
const SIZE_UNITS = { height: "m", width: "m", weight: "t" };
const MOST_SIZES = { height: 10, width: 6, weight: 200 };

/** Change parts of the journey; who shows its answer asks anew. */
export function changeJourney(change: Partial<Journey>): void {
  setState({ journey: { ...getState().journey, ...change } });
}

export const field = (label: string, ...box: Child[]): HTMLElement =>
  h("label", { class: "field" }, h("span", { class: "field-label" }, label), ...box);

function modeField(): HTMLElement {
  const choices = MODES.map((value) => ({ value, label: t(`mode.${value}`) }));
  const { mode } = getState().journey;
  const box = select(t("traffic.mode"), choices, mode, (value) => changeJourney({ mode: value as Mode }));
  box.name = "mode";
  return field(t("traffic.mode"), box);
}

function departField(): HTMLElement {
  const box = h("input", {
    class: "input",
    type: "datetime-local",
    name: "depart",
    onchange: () => changeJourney({ depart: parseCityTime(box.value)?.toISOString() ?? null }),
  });
  const moment = parseMoment(getState().journey.depart);
  box.value = moment ? writeCityTime(moment) : "";
  return field(t("traffic.depart"), box);
}

function sizeFields(): HTMLElement {
  const { size } = getState().journey;
  const fields = SIZES.map((name, index) => {
    const change = (): void => {
      const value = Number(box.value);
      const wanted = value > 0 && value <= MOST_SIZES[name] ? value : null;
      changeJourney({ size: size.map((old, at) => (at === index ? wanted : old)) as unknown as Journey["size"] });
    };
    const box = h("input", { class: "input", type: "number", name, min: 0, max: MOST_SIZES[name], step: "any" });
    box.addEventListener("change", change);
    box.value = String(size[index] ?? "");
    return field(`${t(`traffic.${name}`)} [${SIZE_UNITS[name]}]`, box);
  });
  return h("div", { class: "field-row" }, ...fields);
}

/** Draw the water of a flood, at a moment where one is chosen, under what stands on the roads. */
export function showWater(run: string, time: string | null): void {
  const { product } = getState();
  setState({ runId: run, ...(time ? { time } : {}), ...(product === "none" ? { product: "flood_depth" } : {}) });
}

/** Return the moments of a run's water, none where only its peak is known. */
const timesOf = (run: Run | null): string[] => run?.rasters.find(({ times }) => times)?.times ?? [];

function waterFields(run: Run | null): Child[] {
  const { flood, floodTime } = getState().journey;
  const floods = (runs ?? []).map(({ id, title, process, base_time, created }) => ({
    value: id,
    label: `${say(title, process)} · ${formatShortDateTime(base_time ?? created)}`,
  }));
  if (flood && !floods.some(({ value }) => value === flood)) floods.unshift({ value: flood, label: flood });
  const box = select(t("traffic.flood"), [{ value: "", label: t("traffic.dry") }, ...floods], flood ?? "", (id) =>
    changeJourney({ flood: id || null, floodTime: null }),
  );
  box.name = "flood";
  const times = timesOf(run).map((value) => ({ value, label: formatShortDateTime(value) }));
  if (!flood || times.length === 0) return [field(t("traffic.flood"), box)];
  const clock = select(
    t("traffic.floodTime"),
    [{ value: "", label: t("traffic.deepest") }, ...times],
    floodTime ?? "",
    (time) => changeJourney({ floodTime: time || null }),
  );
  clock.name = "flood-time";
  return [field(t("traffic.flood"), box), field(t("traffic.floodTime"), clock)];
}

/** Make the fields. */
export function makeConditions(): { element: HTMLElement; update: () => void } {
  const element = h("div", { class: "form" });
  let water: Run | null = null;
  let asked: string | null = null;
  let shown = "";

  const readWater = async (id: string): Promise<void> => {
    asked = id;
    try {
      const run = await readRun(id);
      if (asked === id) water = run;
    } catch {
      // Without the run's moments its deepest water can still be asked for; a wrong run is told with the answer.
      water = null;
    }
    update();
  };
  const update = (): void => {
    const { lang, journey } = getState();
    const { flood } = journey;
    if (!flood) water = null;
    else if (asked !== flood) void readWater(flood);
    asked = flood;
    const { mode, depart, size, floodTime } = journey;
    const key = JSON.stringify([lang, mode, depart, size, flood, floodTime, runs?.length, water?.id]);
    if (key === shown) return;
    shown = key;
    const focused = element.querySelector<HTMLElement>(":focus")?.getAttribute("name");
    replace(
      element,
      modeField(),
      departField(),
      mode === "truck" ? sizeFields() : null,
      ...waterFields(water?.id === flood ? water : null),
    );
    if (focused) element.querySelector<HTMLElement>(`[name="${focused}"]`)?.focus();
  };
  watch(["journey", "lang"], update);
  onData("runs", update);
  update();
  return { element, update };
}
