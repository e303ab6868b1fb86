/** A bounded list of the alarms that stand, the most urgent first, for a wall or a widget. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { failure } from "../panels/parts";
import { byUrgency, listAlarms, type StandingAlarm } from "./api";
import { alarmLine } from "./row";

const MOST = "60";

export interface StandingList {
  element: HTMLElement;
  refresh: () => Promise<void>;
  /** Write all words anew. */
  retell: () => void;
}

/** Build the list; `told` hears the alarms whenever they were read. */
export function makeStanding(told: (alarms: readonly StandingAlarm[]) => void): StandingList {
  const list = h("ul", { class: "alarm-lines" });
  const more = h("p", { class: "alarm-more" });
  const heading = h("h2", { "aria-live": "polite" });
  const element = h("section", { class: "standing" }, heading, list, more);
  let alarms: readonly StandingAlarm[] = [];
  let read = false;

  /** Leave out what does not fit: a wall has no scroll bars. */
  const fit = (): void => {
    const lines = [...list.children] as HTMLElement[];
    for (const line of lines) line.hidden = false;
    let hidden = 0;
    if (getComputedStyle(list).overflowY !== "hidden") return;
    for (const line of [...lines].reverse()) {
      if (list.scrollHeight <= list.clientHeight + 1) break;
      line.hidden = true;
      hidden += 1;
    }
    more.textContent = hidden > 0 ? t("alarms.more", { count: hidden }) : "";
  };
  const retell = (): void => {
    if (!read) return;
    const words = t("alarms.standing", { count: alarms.length });
    // What is said once is not said again.
    if (heading.textContent !== words) heading.textContent = words;
    replace(
      list,
      ...(alarms.length > 0
        ? alarms.map((alarm) => alarmLine(alarm))
        : [h("li", { class: "alarm-none" }, t("alarms.none"))]),
    );
    more.textContent = "";
    fit();
  };
  const refresh = async (): Promise<void> => {
    try {
      alarms = (await listAlarms({ limit: MOST })).sort(byUrgency);
      read = true;
      retell();
      told(alarms);
    } catch (error) {
      if (!read)
        replace(
          list,
          h(
            "li",
            {},
            failure(error, () => void refresh()),
          ),
        );
    }
  };
  new ResizeObserver(fit).observe(element);
  return { element, refresh, retell };
}
