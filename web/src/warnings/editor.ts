/** The editor of a message: what is known, where, until when, in which words; checked by the server as one types. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { explain, say, t } from "../i18n";
import { notify } from "../panels/notice";
import { textButton } from "../panels/parts";
import { NotWritten } from "../writing";
import {
  type Alert,
  discardDraft,
  issueAlert,
  issueDraft,
  keepDraft,
  type Policy,
  type Preview,
  type Problem,
  previewWarning,
  type Status,
  updateAlert,
  type Warning,
  type Writing,
} from "./api";
import { type Field, makeField, makeGroup, radioRow } from "./fields";
import { openIssue } from "./issue";
import { makeKnownFields } from "./known-fields";
import { levelBadge, modeBand, refusalOf } from "./marks";
import { makeWordsFields } from "./own-words";
import { otherMessage, readRefusal, sayProblem } from "./problems";
import { makeWardChooser, type Ward } from "./wards";

const ASK_MS = 400;

export interface Editing {
  writing: Writing;
  /** The draft that is changed, null for what nobody kept yet. */
  draft: number | null;
  /** The message that is updated, and why. */
  updates: string | null;
  reason: string;
  /** What the draft holds on the server. */
  kept: string;
}

/** Return what a message says as a text that is the same while nothing was changed. */
export const writeDown = ({ warning, msgType, chains }: Writing): string =>
  JSON.stringify([{ ...warning, wards: [...warning.wards].sort() }, msgType, chains]);

export interface Going {
  issued: (alert: Alert) => void;
  kept: (draft: number) => void;
  left: () => void;
  open: (identifier: string) => void;
}

/** Build the editor. */
export function makeEditor(
  map: MapView,
  policy: Policy,
  wards: readonly Ward[],
  editing: Editing,
  going: Going,
): { element: HTMLElement; stop: () => void } {
  const { writing } = editing;
  const warning: Warning = writing.warning;
  const ends = writing.msgType === "Cancel";
  const fields = new Map<string, Field>();
  const chosen = new Set(warning.wards);
  const problems = h("div", { role: "status" });
  const state = h("p", { class: "soft", role: "status" });
  let timer = 0;
  let request: AbortController | null = null;

  const add = (member: string, field: Field): HTMLElement => {
    fields.set(member, field);
    return field.element;
  };
  const showProblems = (found: readonly Problem[]): void => {
    for (const [member, field] of fields) {
      const own = found.find((one) => one.member === member);
      field.refuse(own ? sayProblem(own, policy) : "");
    }
    const rest = found.filter(({ member }) => ends || !fields.has(member));
    const other = found.map(otherMessage).find(Boolean);
    replace(
      problems,
      ...rest.map((one) => h("p", { class: "field-error" }, sayProblem(one, policy))),
      other ? textButton(t("warning.openOther"), () => going.open(other), "button-small") : null,
    );
  };
  const ask = async (): Promise<Preview | null> => {
    clearTimeout(timer);
    request?.abort();
    if (warning.wards.length === 0) {
      showProblems([{ member: "wards", detail: t("warning.needWard"), hint: null }]);
      return null;
    }
    const own = new AbortController();
    request = own;
    state.textContent = t("warning.checking");
    try {
      const answer = await previewWarning(writing, editing.reason, own.signal);
      state.textContent = answer.problems.length === 0 ? t("warning.ready") : "";
      words.update(answer.words);
      showProblems(answer.problems);
      return answer;
    } catch (error) {
      if (own.signal.aborted) return null;
      state.textContent = "";
      showProblems([readRefusal(error)]);
      return null;
    }
  };
  const change = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), ASK_MS);
  };
  const words = makeWordsFields(warning, change);
  const chooser = makeWardChooser(map, wards, chosen, () => {
    warning.wards = [...chosen];
    change();
  });
  fields.set("wards", { element: chooser.element, refuse: chooser.refuse });

  const band = h("div");
  const showBand = (): void =>
    replace(
      band,
      modeBand(warning.status, ` ${t(warning.status === "Actual" ? "warning.realWords" : "warning.notRealWords")}`),
    );
  const modes = makeGroup(
    t("warning.mode"),
    ...radioRow<Status>(
      "warning-mode",
      policy.statuses.map(({ status }) => ({
        value: status,
        label: t(`warning.mode${status}`),
        refused: refusalOf(policy, status),
      })),
      warning.status,
      (status) => {
        warning.status = status;
        showBand();
        change();
      },
    ),
  );
  const levels = makeGroup(
    t("warning.level"),
    ...radioRow<number>(
      "warning-level",
      policy.levels.map(({ level, severity }) => ({
        value: level,
        label: h("span", { class: "level-choice" }, levelBadge(level), h("span", { class: "soft" }, severity)),
      })),
      warning.level,
      (level) => {
        warning.level = level;
        known.takeLevel();
        change();
      },
    ),
  );
  const known = makeKnownFields(warning, change);
  for (const [member, field] of Object.entries(known.fields)) fields.set(member, field);
  const contact = h("input", { class: "input", maxlength: 200, value: warning.contact, autocomplete: "tel" });
  contact.addEventListener("input", () => {
    warning.contact = contact.value.trim();
    change();
  });
  const why = h("input", { class: "input", maxlength: 500, name: "update-reason", value: editing.reason });
  why.addEventListener("input", () => {
    editing.reason = why.value.trim();
    change();
  });

  const issue = async (): Promise<Alert> => {
    if (editing.updates && editing.draft === null)
      return updateAlert(editing.updates, warning, writing.chains.slice(1), editing.reason);
    if (editing.draft === null) return issueAlert(warning);
    // A proposal that nobody changed is issued as it stands.
    const isKept = writing.msgType === "Cancel" || writeDown(writing) === editing.kept;
    const draft = isKept ? editing.draft : (await keepDraft(writing, editing.draft)).id;
    return issueDraft(draft, editing.reason);
  };
  const look = async (): Promise<void> => {
    const answer = await ask();
    if (answer) openIssue(writing, answer, policy, issue, going.issued);
    else element.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  };
  const act = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof NotWritten)) showProblems([readRefusal(error)]);
      state.textContent = explain(error);
    }
  };
  const keep = (): Promise<void> =>
    act(async () => {
      const draft = await keepDraft(writing, editing.draft);
      notify(t("warning.kept"));
      going.kept(draft.id);
    });
  const discard = (): Promise<void> =>
    act(async () => {
      if (editing.draft !== null) await discardDraft(editing.draft);
      going.left();
    });
  const element = h(
    "div",
    { class: "form warning-editor" },
    textButton(t("warning.back"), going.left, "button-small"),
    h(
      "h3",
      { class: "section-title" },
      t(ends ? "warning.endTitle" : editing.updates ? "warning.updateTitle" : "warning.newTitle"),
    ),
    band,
    ...(ends
      ? [h("p", {}, t("warning.endWords"))]
      : [
          add("status", modes),
          h("p", { class: "soft" }, `${t("warning.event")}: ${say(policy.event)}`),
          add("level", levels),
          chooser.element,
          ...known.elements,
          editing.updates ? makeField(t("warning.reason"), why).element : null,
          words.element,
          add("contact", makeField(t("warning.contact"), contact, t("warning.contactHint"))),
        ]
    ).filter((one): one is HTMLElement => one !== null),
    problems,
    state,
    h(
      "div",
      { class: "row row-wrap editor-actions" },
      textButton(t("warning.preview"), () => void look(), "button-primary"),
      ends ? null : textButton(t("warning.keep"), () => void keep()),
      editing.draft === null ? null : textButton(t("warning.discard"), () => void discard(), "button-danger"),
    ),
  );
  showBand();
  void ask();
  return {
    element,
    stop: () => {
      clearTimeout(timer);
      request?.abort();
      chooser.stop();
    },
  };
}
