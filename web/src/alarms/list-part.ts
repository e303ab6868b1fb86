/** The list of alarms: filtered, by incident, several at once, live. */

import type { Map as MapView } from "maplibre-gl";
import { type Child, h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { highlight } from "../map/pick";
import { empty, failure, iconButton, loading, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, watch } from "../state";
import type { ZoomToItem } from "../types";
import { byTime, byUrgency, listAlarms, OPEN, type StandingAlarm } from "./api";
import { type Action, canDo, doWith } from "./asking";
import { filterSlice, makeFilter, writeQuery } from "./filter";
import { alarmHistory } from "./history";
import { alarmFacts, priorityMark, stateWord } from "./row";
import { beep, hasSound, switchSound } from "./sound";

const PAGE = 100;
const SOON_MS = 800;
const PHONE = "(max-width: 640px)";
const ACTIONS: readonly Action[] = ["acknowledge", "shelve", "unshelve", "comment"];

/** Build the part. */
export function listPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const filter = makeFilter();
  const said = h("p", { class: "soft", role: "status" });
  const bar = h("div", { class: "alarm-bar" });
  const list = h("ul", { class: "alarm-list" });
  const more = h("div", {});
  const summary = h("summary", {});
  // On a phone the list comes first.
  const fold = h("details", { class: "fold", open: !matchMedia(PHONE).matches }, summary, filter.element);
  const element = h("div", { class: "alarms" }, fold, bar, said, list, more);
  let alarms: StandingAlarm[] = [];
  let complete = true;
  let asked = 0;
  let source: EventSource | null = null;
  let waiting = 0;
  let seen: ReadonlySet<string> | null = null;
  const chosen = new Set<number>();
  const opened = new Set<number>();
  const histories = new Map<number, HTMLElement>();

  const goTo = (alarm: StandingAlarm): void => {
    if (!alarm.position) return;
    const point: GeoJSON.Point = { type: "Point", coordinates: alarm.position };
    if (alarm.thing) zoomToItem("sensors", alarm.thing, point);
    else map.easeTo({ center: alarm.position, zoom: Math.max(map.getZoom(), 15.5) });
    highlight(map, point);
  };
  const act = async (action: Action, meant: readonly StandingAlarm[]): Promise<void> => {
    if (!(await doWith(action, meant))) return;
    for (const { id } of meant) histories.delete(id);
    chosen.clear();
    await refresh();
  };
  const row = (alarm: StandingAlarm): HTMLElement => {
    const toggle = (event: Event): void => {
      if ((event.target as HTMLInputElement).checked) chosen.add(alarm.id);
      else chosen.delete(alarm.id);
      showBar();
    };
    const title = say(alarm.title);
    const isOpen = opened.has(alarm.id);
    const history = isOpen ? (histories.get(alarm.id) ?? alarmHistory(alarm.id)) : null;
    if (history) histories.set(alarm.id, history);
    const button = (action: Action): HTMLElement | null => {
      if (!canDo(action, alarm)) return null;
      const made = textButton(t(`alarms.do_${action}`), () => void act(action, [alarm]), "button-small");
      made.dataset["action"] = action;
      made.setAttribute("aria-label", `${t(`alarms.do_${action}`)}: ${title}`);
      return made;
    };
    return h(
      "li",
      { class: `alarm-row alarm-${alarm.priority}`, "data-alarm": alarm.id },
      h(
        "div",
        { class: "alarm-top" },
        h("input", {
          type: "checkbox",
          class: "alarm-tick",
          checked: chosen.has(alarm.id),
          "aria-label": t("alarms.choose", { title }),
          onchange: toggle,
        }),
        priorityMark(alarm),
        stateWord(alarm),
      ),
      alarm.position
        ? h("button", { type: "button", class: "link-button alarm-title", onclick: () => goTo(alarm) }, title)
        : h("span", { class: "alarm-title" }, title),
      h("p", { class: "alarm-facts" }, alarmFacts(alarm)),
      h(
        "div",
        { class: "alarm-actions" },
        ...ACTIONS.map(button),
        h(
          "button",
          {
            type: "button",
            class: "button button-small",
            "aria-expanded": String(isOpen),
            "data-action": "history",
            onclick: () => {
              if (isOpen) opened.delete(alarm.id);
              else opened.add(alarm.id);
              histories.delete(alarm.id);
              show();
            },
          },
          t("alarms.history"),
        ),
      ),
      history,
    );
  };
  const showBar = (): void => {
    const meant = alarms.filter((alarm) => chosen.has(alarm.id));
    const all = alarms.length > 0 && meant.length === alarms.length;
    const tick = h("input", {
      type: "checkbox",
      name: "alarm-all",
      checked: all,
      onchange: () => {
        chosen.clear();
        if (!all) for (const { id } of alarms) chosen.add(id);
        show();
      },
    });
    const hadFocus = bar.contains(document.activeElement) ? (document.activeElement as HTMLInputElement).name : null;
    replace(
      bar,
      h(
        "label",
        { class: "option" },
        tick,
        meant.length > 0 ? t("alarms.chosen", { count: meant.length }) : t("alarms.all"),
      ),
      ...(meant.length > 0
        ? ACTIONS.map((action) => textButton(t(`alarms.do_${action}`), () => void act(action, meant), "button-small"))
        : []),
      iconButton(hasSound() ? "sound" : "mute", t(hasSound() ? "alarms.soundOff" : "alarms.soundOn"), () => {
        switchSound(!hasSound());
        showBar();
      }),
    );
    if (hadFocus) bar.querySelector<HTMLElement>(`[name="${hadFocus}"]`)?.focus();
  };
  const groupHead = (first: StandingAlarm, members: readonly StandingAlarm[]): HTMLElement =>
    h(
      "li",
      { class: "alarm-group" },
      h(
        "details",
        { open: members.length <= 5 },
        h(
          "summary",
          {},
          priorityMark(first),
          h("strong", {}, say(first.title)),
          h(
            "span",
            { class: "soft" },
            t("alarms.inGroup", { count: members.length, time: formatShortDateTime(first.raised) }),
          ),
        ),
        h("ul", { class: "alarm-list" }, ...members.map(row)),
      ),
    );
  const build = (): Child[] => {
    if (!filterSlice.get().grouped) return alarms.map(row);
    const groups = new Map<string, StandingAlarm[]>();
    for (const alarm of alarms) {
      const key = alarm.incident === null ? `alarm ${alarm.id}` : `incident ${alarm.incident}`;
      groups.set(key, [...(groups.get(key) ?? []), alarm]);
    }
    return [...groups.values()].map((members) =>
      members.length > 1 ? groupHead(members[0]!, members) : row(members[0]!),
    );
  };
  const show = (): void => {
    const { sort, state } = filterSlice.get();
    summary.textContent = t("alarms.filter");
    alarms.sort(sort === "time" ? byTime : byUrgency);
    const focus = document.activeElement as HTMLElement | null;
    const place = focus?.closest<HTMLElement>("[data-alarm]")?.dataset["alarm"];
    const action = focus?.dataset["action"];
    replace(list, ...build());
    if (place) {
      const again = action ? `[data-action="${action}"]` : ".alarm-tick";
      list.querySelector<HTMLElement>(`[data-alarm="${place}"] ${again}`)?.focus();
    }
    showBar();
    const open = alarms.filter((alarm) => OPEN.includes(alarm.state)).length;
    const words = t("alarms.listed", { count: alarms.length, open });
    // What is said once is not said again.
    if (said.textContent !== words) said.textContent = words;
    replace(
      more,
      alarms.length === 0 ? empty(t(state ? "alarms.noneOfThese" : "alarms.none")) : null,
      complete ? null : textButton(t("alarms.loadMore"), () => void read(alarms), "button-small"),
    );
  };
  const read = async (before: readonly StandingAlarm[]): Promise<void> => {
    const ticket = ++asked;
    const oldest = Math.min(...before.map((alarm) => alarm.id));
    const query: Record<string, string> = { ...writeQuery(filterSlice.get()), limit: String(PAGE) };
    if (before.length > 0) query["before"] = String(oldest);
    if (alarms.length === 0) replace(more, loading());
    try {
      const found = await listAlarms(query);
      if (ticket !== asked) return;
      alarms = [...before, ...found];
      complete = found.length < PAGE;
      const known = new Set(alarms.map((alarm) => alarm.id));
      for (const id of [...chosen]) if (!known.has(id)) chosen.delete(id);
      filter.meet(alarms);
      announce();
      show();
    } catch (error) {
      if (ticket === asked)
        replace(
          more,
          failure(error, () => void read(before)),
        );
    }
  };
  /** Sound the tone when something is there that nobody saw yet. */
  const announce = (): void => {
    const now = new Set(alarms.filter((one) => one.state === "UNACK").map((one) => `${one.id}@${one.raised}`));
    if (seen && [...now].some((one) => !seen?.has(one))) beep();
    seen = now;
  };
  const refresh = (): Promise<void> => read([]);
  const follow = (): void => {
    if (source) return;
    source = new EventSource("/indicators/events?ids=alarms_open");
    const hear = (): void => {
      clearTimeout(waiting);
      waiting = window.setTimeout(() => {
        histories.clear();
        void refresh();
      }, SOON_MS);
    };
    source.addEventListener("alarm", hear);
    source.addEventListener("indicators", hear);
  };
  const leave = (): void => {
    source?.close();
    source = null;
    clearTimeout(waiting);
  };
  filterSlice.watch(() => {
    chosen.clear();
    alarms = [];
    seen = null;
    void refresh();
  });
  watch(["lang"], show);
  watch(["tab", "duty"], ({ tab, duty }) => {
    if (tab === "alarms" && duty === "list") follow();
    else leave();
  });
  return {
    element,
    show: () => {
      void refresh();
      if (getState().tab === "alarms") follow();
    },
    hide: leave,
  };
}
