/** The first page of warnings: in which mode one works, what is in force, what is proposed, what was issued, the feeds. */

import { may } from "../account/me";
import { type Child, h, replace } from "../dom";
import { formatDateTime, formatNumber, formatShortDateTime } from "../format";
import { explain, say, t } from "../i18n";
import { notify } from "../panels/notice";
import { empty, failure, loading, section, textButton } from "../panels/parts";
import { askWriter, NotWritten } from "../writing";
import { type Alert, type Draft, discardDraft, type Policy, readAlerts, readDrafts, wantsName } from "./api";
import { feedsPart } from "./feeds";
import { kindBadge, levelBadge, modeBadge, modeBand, modeClass, refusalOf } from "./marks";
import { page } from "./page";
import type { Ward } from "./wards";

const PAST = 20;

/** Names of wards, the first few. */
export function nameWards(codes: readonly string[], wards: readonly Ward[]): string {
  const names = codes.slice(0, 4).map((code) => wards.find((ward) => ward.code === code)?.name ?? code);
  const rest = codes.length - names.length;
  return names.join(", ") + (rest > 0 ? ` ${t("warning.moreWards", { count: formatNumber(rest, 0) })}` : "");
}

function alertCard(alert: Alert, wards: readonly Ward[]): HTMLElement {
  const over = Date.parse(alert.expires) < Date.now();
  return h(
    "li",
    { class: `warning-card ${modeClass(alert.status)}` },
    h("div", { class: "row row-wrap" }, modeBadge(alert.status), levelBadge(alert.level), kindBadge(alert.msgType)),
    h(
      "button",
      {
        type: "button",
        class: "link-button warning-open",
        "data-alert": alert.identifier,
        onclick: () => page.set({ at: "alert", identifier: alert.identifier }),
      },
      say(alert.headline),
    ),
    h("p", { class: "soft" }, nameWards(alert.wards, wards)),
    h(
      "p",
      { class: "soft" },
      `${t("warning.sentAt", { time: formatShortDateTime(alert.sent) })} · `,
      t(over || alert.msgType === "Cancel" ? "warning.endedAt" : "warning.holdsUntil", {
        time: formatDateTime(alert.expires),
      }),
    ),
  );
}

function draftCard(draft: Draft, wards: readonly Ward[], reload: () => void): HTMLElement {
  const { warning } = draft;
  const problem = h("p", { class: "field-error", role: "status" });
  const discard = async (): Promise<void> => {
    try {
      await discardDraft(draft.id);
      notify(t("warning.discarded"));
      reload();
    } catch (error) {
      if (!(error instanceof NotWritten)) problem.textContent = explain(error);
    }
  };
  const open = (): void => page.set({ at: "draft", draft: draft.id });
  return h(
    "li",
    { class: `warning-card ${modeClass(warning.status)}`, "data-draft": String(draft.id) },
    h(
      "div",
      { class: "row row-wrap" },
      modeBadge(warning.status),
      levelBadge(warning.level),
      kindBadge(draft.msgType),
      h("span", { class: "badge" }, t(draft.origin === "alarms" ? "warning.byAlarms" : "warning.byPerson")),
    ),
    h("p", {}, warning.vi.headline || warning.station.name || warning.station.id),
    h("p", { class: "soft" }, `${nameWards(warning.wards, wards)} · ${formatShortDateTime(draft.updated)}`),
    h(
      "div",
      { class: "row row-wrap" },
      textButton(t("warning.openDraft"), open, "button-small button-primary"),
      textButton(t("warning.discard"), () => void discard(), "button-small"),
    ),
    problem,
  );
}

const cards = (rows: HTMLElement[], none: string): Child =>
  rows.length > 0 ? h("ul", { class: "plain-list warning-list" }, ...rows) : empty(none);

/** Build the page. */
export function listPage(policy: Policy, wards: readonly Ward[]): HTMLElement {
  const force = h("div", { "aria-live": "polite" }, loading());
  const drafts = h("div", { "aria-live": "polite" }, loading());
  const past = h("div");
  const refused = refusalOf(policy, "Actual");

  const fill = async (holder: HTMLElement, read: () => Promise<Child>, again: () => void): Promise<void> => {
    try {
      replace(holder, await read());
    } catch (error) {
      const name = async (): Promise<void> => {
        if (await askWriter()) again();
      };
      replace(
        holder,
        wantsName(error)
          ? empty(
              h("p", {}, t("warning.onlyWriters")),
              textButton(t("warning.sayName"), () => void name(), "button-small"),
            )
          : failure(error, again),
      );
    }
  };
  const showForce = (): void =>
    void fill(
      force,
      async () =>
        cards(
          (await readAlerts({ in_force: "true" })).map((one) => alertCard(one, wards)),
          t("warning.noneInForce"),
        ),
      showForce,
    );
  const showDrafts = (): void =>
    void fill(
      drafts,
      async () =>
        cards(
          (await readDrafts()).map((one) => draftCard(one, wards, showDrafts)),
          t("warning.noDrafts"),
        ),
      showDrafts,
    );
  const showPast = (before: number | null): void =>
    void fill(
      past,
      async () => {
        const alerts = await readAlerts({
          limit: String(PAST),
          ...(before === null ? {} : { before: String(before) }),
        });
        const next = alerts.length === PAST ? (alerts.at(-1)?.number ?? null) : null;
        const older = textButton(t("warning.older"), () => showPast(next), "button-small");
        const newest = textButton(t("warning.newest"), () => showPast(null), "button-small");
        return h(
          "div",
          {},
          cards(
            alerts.map((one) => alertCard(one, wards)),
            t("warning.nonePast"),
          ),
          h("div", { class: "row" }, before === null ? null : newest, next === null ? null : older),
        );
      },
      () => showPast(before),
    );
  showForce();
  showDrafts();
  const history = h("details", { class: "more" }, h("summary", {}, t("warning.past")), past);
  history.addEventListener("toggle", () => {
    if (history.open && past.childElementCount === 0) showPast(null);
  });
  return h(
    "div",
    { class: "form" },
    refused ? modeBand(policy.proposals, ` ${refused}`) : null,
    may("warn")
      ? textButton(t("warning.new"), () => page.set({ at: "new" }), "button-primary button-wide", "plus")
      : null,
    section(t("warning.inForce"), force),
    section(
      t("warning.drafts"),
      h("p", { class: "soft" }, t(policy.automatic ? "warning.draftsAutomatic" : "warning.draftsHint")),
      drafts,
    ),
    history,
    feedsPart(),
  );
}
