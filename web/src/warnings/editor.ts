/** The editor of a message: what is known, where, until when, in which words; checked by the server as one types. */

import type { Map as MapView } from "maplibre-gl";
import { toIso } from "../api";
import { sensors } from "../data";
import { h, replace } from "../dom";
import { explain, say, t } from "../i18n";
import { notify } from "../panels/notice";
import { select, textButton } from "../panels/parts";
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
import { type Field, makeField, makeGroup, momentBox, numberBox, radioRow, setMoment } from "./fields";
import { openIssue } from "./issue";
import { levelBadge, modeBand, refusalOf } from "./marks";
import { makeWordsFields } from "./own-words";
import { otherMessage, readRefusal, sayProblem } from "./problems";
import { knowsGauge, readGauge } from "./starting";
import { makeWardChooser, type Ward } from "./wards";

const ASK_MS = 400;
const HOUR_MS = 3600e3;
const QUICK_HOURS = [3, 6, 12, 24] as const;

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
  const fields = new Map<string, Field>();
  const chosen = new Set(warning.wards);
  const problems = h("div", { role: "status" });
  const below = h("p", { class: "note caution", role: "status", hidden: true }, t("warning.below"));
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
    const rest = found.filter(({ member }) => !fields.has(member));
    const other = found.map(otherMessage).find(Boolean);
    replace(
      problems,
      ...rest.map((one) => h("p", { class: "field-error" }, sayProblem(one, policy))),
      other ? textButton(t("warning.openOther"), () => going.open(other), "button-small") : null,
    );
  };
  /** What is measured and does not reach the level is told with the fields; it may still be right. */
  const checkStage = (): void => {
    const { probability: share, stage: height, threshold: limit } = warning;
    below.hidden = !(share === null && height !== null && limit !== null && height < limit);
  };
  const ask = async (): Promise<Preview | null> => {
    clearTimeout(timer);
    checkStage();
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
        takeGauge(false);
        change();
      },
    ),
  );
  const stage = numberBox(warning.stage, "0.01", (value) => {
    warning.stage = value;
    change();
  });
  const threshold = numberBox(warning.threshold, "0.01", (value) => {
    warning.threshold = value;
    change();
  });
  const at = momentBox(warning.at, (value) => {
    warning.at = value;
    change();
  });
  const onset = momentBox(warning.onset, (value) => {
    warning.onset = value;
    change();
  });
  const expires = momentBox(warning.expires, (value) => {
    if (value) warning.expires = value;
    change();
  });
  const takeGauge = (reading: boolean): void => {
    readGauge(warning, reading);
    stage.value = warning.stage === null ? "" : String(warning.stage);
    threshold.value = warning.threshold === null ? "" : String(warning.threshold);
    setMoment(at, warning.at);
  };
  const gauges = sensors
    .filter(({ properties }) => properties.kind === "stage")
    .map(({ id, properties }) => ({ value: id, label: properties.name }))
    .sort((a, b) => a.label.localeCompare(b.label, "vi"));
  if (!knowsGauge(warning))
    gauges.unshift({ value: warning.station.id, label: warning.station.name || warning.station.id });
  const gauge = select(t("warning.station"), gauges, warning.station.id, (id) => {
    warning.station = { id, name: gauges.find(({ value }) => value === id)?.label ?? id };
    takeGauge(true);
    change();
  });
  const share = numberBox(warning.probability === null ? null : Math.round(warning.probability * 100), "1", (value) => {
    warning.probability = value === null ? 0 : Math.min(Math.max(value / 100, 0), 1);
    change();
  });
  share.min = "0";
  share.max = "100";
  const shareField = makeField(t("warning.probability"), share);
  const onsetField = makeField(t("warning.onset"), onset);
  const showForecast = (): void => {
    shareField.element.hidden = warning.probability === null;
    onsetField.element.hidden = warning.probability === null;
  };
  const known = makeGroup(
    t("warning.known"),
    ...radioRow<string>(
      "warning-known",
      [
        { value: "measured", label: t("warning.measured") },
        { value: "forecast", label: t("warning.forecast") },
      ],
      warning.probability === null ? "measured" : "forecast",
      (value) => {
        warning.probability = value === "forecast" ? Number(share.value || 50) / 100 : null;
        if (value === "forecast" && share.value === "") share.value = "50";
        if (value === "measured") warning.onset = null;
        setMoment(onset, warning.onset);
        showForecast();
        change();
      },
    ),
  );
  showForecast();
  const quick = h(
    "div",
    { class: "row row-wrap" },
    ...QUICK_HOURS.map((hours) =>
      textButton(
        t("warning.inHours", { hours }),
        () => {
          warning.expires = toIso(new Date(Date.now() + hours * HOUR_MS));
          setMoment(expires, warning.expires);
          change();
        },
        "button-small",
      ),
    ),
  );
  const expiresField = makeField(t("warning.expires"), expires, t("scenario.localTime"));
  expiresField.element.append(quick);
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
  const ends = writing.msgType === "Cancel";
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
          add("station", makeField(t("warning.station"), gauge)),
          known.element,
          h(
            "div",
            { class: "field-pair" },
            add("stage", makeField(t("warning.stage"), stage)),
            add("threshold", makeField(t("warning.threshold"), threshold)),
          ),
          below,
          add("at", makeField(t("warning.at"), at)),
          add("probability", shareField),
          add("onset", onsetField),
          add("expires", expiresField),
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
