/** The rules behind the alarms: what is watched, when it is an alarm, on whose word. */

import { request } from "../api";
import { type Child, fold, h, replace } from "../dom";
import { formatNumber, formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { empty, failure, loading, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import type { Words } from "../types";
import type { Priority } from "./api";
import { sayEvent } from "./filter";
import { priorityMark } from "./row";

const PAGE = 30;

interface Condition {
  kind: string;
  on?: number;
  off?: number;
  level?: number;
  after_s?: number;
  lead_s?: number;
  window_s?: number;
  direction?: string;
}

interface RuleVersion {
  id: string;
  version: number;
  origin: string;
  valid_from: string;
  rule: {
    title: Words;
    event: string;
    priority: Priority;
    conditions: Condition[];
    combine?: string;
    response?: Words | null;
    legal_source?: string | null;
  };
}

function sayCondition(one: Condition): string {
  const on = formatNumber(one.on, 3);
  if (one.kind === "limit") return t(one.direction === "below" ? "alarms.when_below" : "alarms.when_limit", { on });
  if (one.kind === "rate") return t("alarms.when_rate", { on, minutes: formatNumber((one.window_s ?? 0) / 60, 0) });
  if (one.kind === "no_data") return t("alarms.when_silent", { minutes: formatNumber((one.after_s ?? 0) / 60, 0) });
  if (one.kind === "late") return t("alarms.when_late", { minutes: formatNumber((one.after_s ?? 0) / 60, 0) });
  if (one.kind === "forecast")
    return t("alarms.when_forecast", {
      level: formatNumber(one.level, 2),
      share: formatNumber((one.on ?? 0) * 100, 0),
      hours: formatNumber((one.lead_s ?? 0) / 3600, 0),
    });
  if (one.kind === "incident") return t("alarms.when_incident", { share: formatNumber((one.on ?? 0) * 100, 0) });
  return t("alarms.when_leak", { on: formatNumber(one.on, 5) });
}

function row({ id, version, valid_from, rule }: RuleVersion): HTMLElement {
  const titles: Record<Priority, Words> = Object.fromEntries(
    (["critical", "high", "medium", "low"] as const).map((one) => [
      one,
      { vi: t(`alarms.priority_${one}`), en: t(`alarms.priority_${one}`) },
    ]),
  ) as Record<Priority, Words>;
  const joined = rule.conditions.map(sayCondition).join(t(rule.combine === "any" ? "alarms.or" : "alarms.and"));
  return h(
    "li",
    { class: `alarm-row alarm-${rule.priority}`, "data-rule": id },
    h(
      "div",
      { class: "alarm-top" },
      priorityMark({ priority: rule.priority, priority_title: titles[rule.priority] }),
      h("span", { class: "soft" }, sayEvent(rule.event)),
    ),
    h("strong", { class: "alarm-title" }, say(rule.title)),
    h("p", {}, joined),
    rule.response ? h("p", { class: "alarm-facts" }, say(rule.response)) : null,
    h(
      "p",
      { class: "soft" },
      [id, t("alarms.version", { version, time: formatShortDateTime(valid_from) }), rule.legal_source]
        .filter(Boolean)
        .join(" · "),
    ),
  );
}

/** Build the part. */
export function rulesPart(): Part {
  const holder = h("div", {});
  const words = h("input", { type: "search", class: "input", name: "rule-words", autocomplete: "off" });
  const label = h("span", { class: "field-label" });
  const element = h("div", { class: "alarms" }, h("label", { class: "field" }, label, words), holder);
  let rules: RuleVersion[] = [];
  let room = PAGE;
  const list = (): void => {
    const wanted = fold(words.value.trim());
    const found = rules.filter(({ id, rule }) =>
      fold(`${id} ${say(rule.title)} ${sayEvent(rule.event)}`).includes(wanted),
    );
    const children: Child[] = [
      h("p", { class: "soft", role: "status" }, t("alarms.rulesFound", { count: found.length })),
      found.length === 0
        ? empty(t("alarms.noRules"))
        : h("ul", { class: "alarm-list" }, ...found.slice(0, room).map(row)),
    ];
    if (found.length > room) {
      const grow = (): void => {
        room += PAGE;
        list();
      };
      children.push(textButton(t("alarms.loadMore"), grow, "button-small"));
    }
    replace(holder, ...children);
  };
  const load = async (): Promise<void> => {
    replace(holder, loading());
    try {
      rules = (await request<{ rules: RuleVersion[] }>("/alarm-rules")).rules;
      list();
    } catch (error) {
      replace(
        holder,
        failure(error, () => void load()),
      );
    }
  };
  words.addEventListener("input", () => {
    room = PAGE;
    list();
  });
  return {
    element,
    show: () => {
      label.textContent = t("alarms.findRule");
      void load();
    },
  };
}
