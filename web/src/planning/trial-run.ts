/** The flood run twice, without the changes and with them: progress, cancel, and then both side by side. */

import { ApiError, cancelJob, readJob, readRun, readRuns, startJob } from "../api";
import { refreshRuns } from "../data";
import { h, replace } from "../dom";
import { explain, sayHalf, t } from "../i18n";
import { failure, textButton } from "../panels/parts";
import type { Job } from "../types";
import { type Trial, type Work, writeInputs, writeTrial } from "./works";

const PROCESS = "flood-scenario";
const POLL_MS = 1500;
const MINUTE_MS = 60_000;
const REUSED_MS = 30 * MINUTE_MS;
const OPEN: readonly string[] = ["accepted", "running"];

export interface TrialRun {
  element: HTMLElement;
  start: (trial: Trial, list: readonly Work[]) => void;
}

/** Return the finished run of the same flood that was made lately, so that it need not be computed again. */
async function findBase(trial: Trial): Promise<{ id: string; start: string } | null> {
  const since = Date.now() - REUSED_MS;
  const lately = (await readRuns()).filter(
    (run) => run.process === PROCESS && run.status === "successful" && Date.parse(run.base_time ?? "") > since,
  );
  for (const run of lately.slice(0, 5)) {
    const { inputs, base_time } = await readRun(run.id);
    const wanted = writeTrial(trial, String(inputs["base_time"]));
    const same = Object.keys(wanted).length === Object.keys(inputs).length;
    if (same && base_time && Object.entries(wanted).every(([name, value]) => inputs[name] === value))
      return { id: run.id, start: String(inputs["base_time"]) };
  }
  return null;
}

/** Make the runs; `done` gets the ids of both. */
export function makeTrialRun(done: (base: string, changed: string) => void): TrialRun {
  const element = h("div", { class: "trial-run", "aria-live": "polite" });
  let jobs: (Job | null)[] = [];
  let ids: string[] = [];
  let timer = 0;

  const bar = (words: string, job: Job | null): HTMLElement => {
    const progress = Math.min(Math.max(job?.progress ?? 0, 0), 100);
    const running = job?.status === "running";
    return h(
      "li",
      { class: "job" },
      h(
        "div",
        { class: "job-head" },
        h("span", { class: "job-title" }, words),
        h("span", { class: "badge job-status" }, job ? t(`job.${job.status}`) : t("plan.reused")),
      ),
      job && OPEN.includes(job.status)
        ? h("progress", { max: 100, value: running ? progress : null, "aria-label": `${words} ${progress} %` })
        : null,
      job?.message
        ? h("p", { class: "soft note" }, job.status === "failed" ? job.message : sayHalf(job.message))
        : null,
    );
  };

  const cancel = async (): Promise<void> => {
    clearTimeout(timer);
    const open = jobs.filter((job): job is Job => job !== null && OPEN.includes(job.status));
    try {
      await Promise.all(open.map((job) => cancelJob(job.jobID)));
      replace(element, h("p", { class: "note" }, t("plan.cancelled")));
    } catch (error) {
      replace(
        element,
        failure(error, () => void cancel()),
      );
    }
  };

  const show = (): void => {
    const words = [t("plan.without"), t("plan.with")];
    const open = jobs.some((job) => job !== null && OPEN.includes(job.status));
    replace(
      element,
      h("ul", { class: "plain-list" }, ...jobs.map((job, place) => bar(words[place] ?? "", job))),
      open ? textButton(t("scenario.cancel"), () => void cancel(), "button-small") : null,
    );
  };

  const poll = async (): Promise<void> => {
    try {
      jobs = await Promise.all(jobs.map((job) => (job && OPEN.includes(job.status) ? readJob(job.jobID) : job)));
    } catch (error) {
      // The server may be away for a moment; only what it refuses ends the waiting.
      if (!(error instanceof ApiError) || error.status >= 400) {
        replace(
          element,
          failure(error, () => void poll()),
        );
        return;
      }
    }
    show();
    if (jobs.some((job) => job !== null && OPEN.includes(job.status))) {
      timer = window.setTimeout(() => void poll(), POLL_MS);
    } else if (jobs.every((job) => job === null || job.status === "successful")) {
      await refreshRuns();
      done(ids[0]!, ids[1]!);
    }
  };

  const begin = async (trial: Trial, list: readonly Work[]): Promise<void> => {
    clearTimeout(timer);
    replace(element, h("p", { class: "note" }, t("plan.starting")));
    try {
      const base = await findBase(trial);
      const start = base?.start ?? new Date(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS).toISOString();
      const inputs = writeTrial(trial, start);
      const first = base ? null : await startJob(PROCESS, inputs);
      const second = await startJob(PROCESS, { ...inputs, ...writeInputs(list) });
      jobs = [first, second];
      ids = [base?.id ?? first!.jobID, second.jobID];
      show();
      timer = window.setTimeout(() => void poll(), POLL_MS);
    } catch (error) {
      replace(element, h("p", { class: "field-error", role: "alert" }, explain(error)));
    }
  };
  return { element, start: (trial, list) => void begin(trial, list) };
}
