/** The list of jobs, their progress, and what became of them. */

import { cancelJob, readJob, readJobs } from "../api";
import { isFlood, refreshRuns } from "../data";
import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { explain, say, sayHalf, t } from "../i18n";
import { openNetworkRun } from "../networks/runs";
import { setState, watch } from "../state";
import type { Job, ProcessSummary } from "../types";
import { empty, failure, textButton } from "./parts";

const POLL_MS = 1500;
const OPEN: readonly string[] = ["accepted", "running"];

let jobs: Job[] = [];
let jobsError: unknown = null;
/** Jobs that this person started here; their result is shown when it is there. */
const mine = new Set<string>();

async function showRun({ jobID: id, processID }: Job): Promise<void> {
  if (!isFlood(processID)) {
    await openNetworkRun(id, processID);
    return;
  }
  await refreshRuns();
  setState({ runId: id, time: null, product: "flood_depth", tab: "flood", panelOpen: true });
}

function jobRow(job: Job, titles: Map<string, string>, reload: () => void): HTMLElement {
  const open = OPEN.includes(job.status);
  const progress = Math.min(Math.max(job.progress ?? 0, 0), 100);
  const reason = h(
    "p",
    { class: "soft note" },
    job.status === "failed" ? (job.message ?? "") : sayHalf(job.message ?? ""),
  );
  const cancel = async (): Promise<void> => {
    try {
      await cancelJob(job.jobID);
      reload();
    } catch (error) {
      reason.textContent = explain(error);
    }
  };
  return h(
    "li",
    { class: `job job-${job.status}`, "data-job": job.jobID },
    h(
      "div",
      { class: "job-head" },
      h("span", { class: "job-title" }, titles.get(job.processID) ?? job.processID),
      h("span", { class: "badge job-status" }, t(`job.${job.status}`)),
    ),
    h("p", { class: "soft" }, formatShortDateTime(job.created)),
    open
      ? h("progress", {
          max: 100,
          value: job.status === "running" ? progress : null,
          "aria-label": `${t(`job.${job.status}`)} ${progress} %`,
        })
      : null,
    job.message ? reason : null,
    open ? textButton(t("scenario.cancel"), () => void cancel(), "button-small") : null,
    job.status === "successful" ? textButton(t("scenario.show"), () => void showRun(job), "button-small") : null,
  );
}

/** Build the list; `follow` adds a job that was just started. */
export function jobList(processes: () => ProcessSummary[]): { element: HTMLElement; follow: (job: Job) => void } {
  const list = h("div", { "aria-live": "polite" });
  let timer = 0;

  const show = (): void => {
    const titles = new Map(processes().map((process) => [process.id, say(process.title_i18n, process.title)]));
    replace(
      list,
      jobsError ? failure(jobsError, () => void load()) : null,
      jobs.length === 0 && !jobsError ? empty(t("scenario.noJobs")) : null,
      h("ul", { class: "plain-list" }, ...jobs.map((job) => jobRow(job, titles, () => void load()))),
    );
  };

  const settle = (before: Map<string, string>): void => {
    for (const job of jobs) {
      const ended = job.status === "successful" && before.get(job.jobID) !== "successful";
      if (ended && mine.delete(job.jobID)) void showRun(job);
    }
  };

  const plan = (): void => {
    clearTimeout(timer);
    if (jobs.some((job) => OPEN.includes(job.status))) timer = window.setTimeout(() => void poll(), POLL_MS);
  };

  const poll = async (): Promise<void> => {
    const before = new Map(jobs.map((job) => [job.jobID, job.status as string]));
    try {
      jobs = await Promise.all(jobs.map((job) => (OPEN.includes(job.status) ? readJob(job.jobID) : job)));
      jobsError = null;
    } catch (error) {
      jobsError = error;
    }
    show();
    settle(before);
    plan();
  };

  const load = async (): Promise<void> => {
    try {
      jobs = await readJobs();
      jobsError = null;
    } catch (error) {
      jobsError = error;
    }
    show();
    plan();
  };

  const follow = (job: Job): void => {
    mine.add(job.jobID);
    jobs = [job, ...jobs.filter((entry) => entry.jobID !== job.jobID)];
    show();
    plan();
  };

  void load();
  watch(["lang"], show);
  watch(["tab"], (state) => {
    if (state.tab === "scenario") void load();
  });
  return { element: list, follow };
}
