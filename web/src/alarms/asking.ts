/** What is asked of the person before something is done with alarms, and the doing, one after another. */

import { may } from "../account/me";
import { h } from "../dom";
import { explain, t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { notify } from "../panels/notice";
import { textButton } from "../panels/parts";
import { NotWritten } from "../writing";
import { actOn, OPEN, type StandingAlarm } from "./api";

export type Action = "acknowledge" | "shelve" | "unshelve" | "comment";

const MINUTES = [15, 30, 60, 120, 240, 480, 1440];
const FIRST_MINUTES = 60;

/** Whether an action makes sense for an alarm. */
export function canDo(action: Action, alarm: StandingAlarm): boolean {
  if (!may("alarm")) return false;
  if (action === "acknowledge") return OPEN.includes(alarm.state);
  if (action === "unshelve") return alarm.state === "SHELVED";
  if (action === "shelve") return ["UNACK", "ACK", "RTN-UNACK"].includes(alarm.state);
  return true;
}

/** Ask for what the server needs besides; null where the person gave up. */
function ask(action: Action, count: number): Promise<Record<string, unknown> | null> {
  if (action === "acknowledge" || action === "unshelve") return Promise.resolve({});
  return new Promise((resolve) => {
    let answer: Record<string, unknown> | null = null;
    openDialog(
      t(action === "shelve" ? "alarms.shelveTitle" : "alarms.commentTitle", { count }),
      (close) => {
        const minutes = h(
          "select",
          { name: "minutes", class: "select" },
          ...MINUTES.map((value) =>
            h("option", { value, selected: value === FIRST_MINUTES }, t("alarms.minutes", { minutes: value })),
          ),
        );
        const words = h("textarea", {
          name: "words",
          class: "input",
          rows: 3,
          required: true,
          maxlength: action === "shelve" ? 500 : 2000,
        });
        const send = (event: Event): void => {
          event.preventDefault();
          const text = words.value.trim();
          if (!text) return;
          answer = action === "shelve" ? { minutes: Number(minutes.value), reason: text } : { text };
          close();
        };
        return h(
          "form",
          { class: "form", onsubmit: send },
          action === "shelve" ? h("p", { class: "soft" }, t("alarms.shelveHint")) : null,
          action === "shelve"
            ? h("label", { class: "field" }, h("span", { class: "field-label" }, t("alarms.shelveFor")), minutes)
            : null,
          h(
            "label",
            { class: "field" },
            h("span", { class: "field-label" }, t(action === "shelve" ? "alarms.reason" : "alarms.text")),
            words,
          ),
          h(
            "div",
            { class: "dialog-actions" },
            textButton(t("app.cancel"), close),
            h("button", { type: "submit", class: "button button-primary" }, t(`alarms.do_${action}`)),
          ),
        );
      },
      () => resolve(answer),
    );
  });
}

/** Do something with alarms, one after another; says how many it was done with and what went wrong. */
export async function doWith(action: Action, alarms: readonly StandingAlarm[]): Promise<boolean> {
  const meant = alarms.filter((alarm) => canDo(action, alarm));
  if (meant.length === 0) {
    notify(t("alarms.nothingToDo"));
    return false;
  }
  const body = await ask(action, meant.length);
  if (!body) return false;
  let done = 0;
  let wrong: unknown = null;
  for (const alarm of meant) {
    try {
      await actOn(alarm.id, action, body);
      done += 1;
    } catch (error) {
      wrong = error;
      // Who does not say who he is will not for the next one either.
      if (error instanceof NotWritten) break;
    }
  }
  const said = t(`alarms.done_${action}`, { count: done });
  notify(
    wrong === null
      ? said
      : `${done > 0 ? `${said} ` : ""}${t("alarms.notDone", { count: meant.length - done })} ${explain(wrong)}`,
  );
  return done > 0;
}
