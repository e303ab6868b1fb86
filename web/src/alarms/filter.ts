/** Which alarms are listed, and in what order; kept in the share link. */

import { h, replace } from "../dom";
import { type Key, t } from "../i18n";
import { type Choice, select } from "../panels/parts";
import { makeSlice } from "../slices";
import { PRIORITIES, STATES, type StandingAlarm } from "./api";

export interface Filter {
  /** Standing without it; "all" for every one. */
  state: string;
  priority: string;
  event: string;
  ward: string;
  sort: "urgency" | "time";
  grouped: boolean;
}

export const filterSlice = makeSlice<Filter>(
  "alarms",
  (text) => {
    const given = new URLSearchParams(text ?? "");
    const read = (name: string): string => given.get(name) ?? "";
    const state = [...STATES, "all"].find((one) => one === read("state")) ?? "";
    const priority = PRIORITIES.find((one) => one === read("priority")) ?? "";
    const sort = read("sort") === "time" ? "time" : "urgency";
    return { state, priority, event: read("event"), ward: read("ward"), sort, grouped: read("grouped") !== "no" };
  },
  ({ state, priority, event, ward, sort, grouped }) => {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries({ state, priority, event, ward })) if (value) words.set(name, value);
    if (sort !== "urgency") words.set("sort", sort);
    if (!grouped) words.set("grouped", "no");
    return words.toString() || null;
  },
);

/** Return the query of the server for a filter. */
export function writeQuery({ state, priority, event, ward }: Filter): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of Object.entries({ state, priority, event, ward })) if (value) query[name] = value;
  return query;
}

/** Build the fields; events and wards are offered as they were met. */
export function makeFilter(): { element: HTMLElement; meet: (alarms: readonly StandingAlarm[]) => void } {
  const events = new Map<string, string>();
  const wards = new Map<string, string>();
  const element = h("div", { class: "alarm-filter" });
  const change = (part: Partial<Filter>): void => filterSlice.set({ ...filterSlice.get(), ...part });
  const field = (name: "state" | "priority" | "event" | "ward" | "sort", choices: Choice[]): HTMLElement => {
    const label = t(`alarms.by_${name}`);
    const box = select(label, choices, filterSlice.get()[name], (value) => change({ [name]: value }));
    box.name = `alarm-${name}`;
    return h("label", { class: "field" }, h("span", { class: "field-label" }, label), box);
  };
  const any = (label: string): Choice => ({ value: "", label });
  const show = (): void => {
    const { event, ward, grouped } = filterSlice.get();
    if (event) events.set(event, events.get(event) ?? event);
    if (ward) wards.set(ward, wards.get(ward) ?? ward);
    const focus = (document.activeElement as HTMLSelectElement | null)?.name;
    replace(
      element,
      field("state", [
        any(t("alarms.state_standing")),
        ...STATES.map((value) => ({ value, label: t(`alarms.state_${value.replaceAll("-", "_")}` as Key) })),
        { value: "all", label: t("alarms.state_all") },
      ] as Choice[]),
      field("priority", [
        any(t("alarms.any")),
        ...PRIORITIES.map((value) => ({ value, label: t(`alarms.priority_${value}`) })),
      ]),
      field("event", [any(t("alarms.any")), ...[...events].map(([value, label]) => ({ value, label }))]),
      field("ward", [any(t("alarms.any")), ...[...wards].map(([value, label]) => ({ value, label }))]),
      field("sort", [
        { value: "urgency", label: t("alarms.sort_urgency") },
        { value: "time", label: t("alarms.sort_time") },
      ]),
      h(
        "label",
        { class: "option" },
        h("input", {
          type: "checkbox",
          name: "alarm-grouped",
          checked: grouped,
          onchange: (each) => change({ grouped: (each.target as HTMLInputElement).checked }),
        }),
        t("alarms.grouped"),
      ),
    );
    if (focus?.startsWith("alarm-")) element.querySelector<HTMLElement>(`[name="${focus}"]`)?.focus();
  };
  show();
  filterSlice.watch(show);
  return {
    element,
    meet: (alarms) => {
      const before = events.size + wards.size;
      for (const alarm of alarms) {
        events.set(alarm.event, sayEvent(alarm.event));
        if (alarm.ward) wards.set(alarm.ward.code, alarm.ward.name);
      }
      if (events.size + wards.size !== before) show();
    },
  };
}

/** What an alarm is about, in words where the viewer has them. */
export function sayEvent(event: string): string {
  if (event === "flood") return t("alarms.event_flood");
  if (event === "traffic-incident") return t("alarms.event_traffic");
  if (event === "leak") return t("alarms.event_leak");
  if (event === "forecast-late") return t("alarms.event_late");
  if (event === "no-data") return t("alarms.event_silent");
  return event;
}
