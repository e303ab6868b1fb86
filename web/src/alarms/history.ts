/** How one alarm came to be: every step with its times, who and why, and what to do about it. */

import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { failure, loading } from "../panels/parts";
import { type AlarmRecord, readAlarm } from "./api";

const ENGINE = "engine";

function build({ events, definition, rule }: AlarmRecord): HTMLElement {
  return h(
    "div",
    { class: "alarm-history" },
    definition.response
      ? h("p", { class: "alarm-response" }, h("strong", {}, t("alarms.response")), ` ${say(definition.response)}`)
      : null,
    events.length === 0 ? h("p", { class: "soft" }, t("alarms.noSteps")) : null,
    h(
      "ol",
      { class: "alarm-steps" },
      ...events.map((step) =>
        h(
          "li",
          {},
          h(
            "time",
            { datetime: step.at, title: t("alarms.recorded", { time: formatShortDateTime(step.recorded) }) },
            formatShortDateTime(step.at),
          ),
          h(
            "span",
            {},
            h("strong", {}, say(step.title)),
            step.author && step.author !== ENGINE ? ` · ${step.author}` : null,
            step.reason && step.author !== ENGINE ? h("span", { class: "alarm-why" }, step.reason) : null,
          ),
        ),
      ),
    ),
    h(
      "p",
      { class: "soft" },
      t("alarms.rule", { rule }),
      definition.legal_source ? ` · ${definition.legal_source}` : null,
    ),
  );
}

/** Build the history of an alarm; it is read when it is built. */
export function alarmHistory(id: number): HTMLElement {
  const holder = h("div", {}, loading());
  const load = (): void => {
    readAlarm(id).then(
      (record) => replace(holder, build(record)),
      (error: unknown) => replace(holder, failure(error, load)),
    );
  };
  load();
  return holder;
}
