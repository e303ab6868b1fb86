/** The list of jobs, their progress, and what became of them. */

import { cancelJob, readJob, readJobs, readRun } from "../api";
import { isFlood, networkRuns, onData, refreshRuns, runs } from "../data";
import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { explain, say, sayHalf, t } from "../i18n";
import { openNetworkRun } from "../networks/runs";
import { getState, setState, watch } from "../state";
import type { Job, ProcessSummary } from "../types";
import { notify } from "./notice";
import { empty, failure, textButton } from "./parts";
import { writeSpan } from "./spans";

const POLL_MS = 1500;
const OPEN: readonly string[] = ["accepted", "running"];
const MINE_KEY = "twin.jobs";
const PAGE = 8;
/** Before so much is done the time that is left is a guess nobody should read. */
const TELLING_PERCENT = 4;

let jobs: Job[] = [];
let jobsError: unknown = null;
/** Jobs that this person started here, also before the page was loaded again; their result is shown when it is there. */
const mine = new Set<string>((sessionStorage.getItem(MINE_KEY) ?? "").split(" ").filter(Boolean));

const keepMine = (): void => sessionStorage.setItem(MINE_KEY, [...mine].join(" "));

/** Return how long a process took the last time that is known [s]. */
export function usualSeconds(process: string): number | null {
  const last = jobs.find(
    (job) => job.processID === process && job.status === "successful" && job.started && job.finished,
  );
  return last ? (Date.parse(last.finished ?? "") - Date.parse(last.started ?? "")) / 1000 : null;
}

/** Return how long a running job still takes, as far as its progress tells [s]. */
function secondsLeft({ status, progress, started, updated }: Job): number | null {
  if (status !== "running" || !started || !progress || progress < TELLING_PERCENT) return null;
  const spent = (Date.parse(updated ?? "") || Date.now()) - Date.parse(started);
  return spent > 0 ? (spent / 1000) * ((100 - progress) / progress) : null;
}

async function showRun({ jobID: id, processID }: Job): Promise<void> {
  if (!isFlood(processID)) {
    await openNetworkRun(id, processID);
    return;
  }
  await refreshRuns();
  setState({ runId: id, time: null, product: "flood_depth", tab: "flood", desk: "water", panelOpen: true });
}

/** What a finished run calls itself. */
function titleOfRun(id: string): string | null {
  const found = [...(runs ?? []), ...(networkRuns ?? [])].find((run) => run.id === id);
  return found ? say(found.title) : null;
}

type Again = (process: string, inputs: Readonly<Record<string, unknown>>) => void;

function jobRow(job: Job, titles: Map<string, string>, reload: () => void, again: Again): HTMLElement {
  const open = OPEN.includes(job.status);
  const progress = Math.min(Math.max(job.progress ?? 0, 0), 100);
  const left = secondsLeft(job);
  const reason = h(
    "p",
    { class: "soft note" },
    job.status === "failed" ? (job.message ?? "") : sayHalf(job.message ?? ""),
  );
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      reason.textContent = explain(error);
      reason.hidden = false;
    }
  };
  const cancel = (): Promise<void> =>
    attempt(async () => {
      await cancelJob(job.jobID);
      reload();
    });
  const repeat = (): Promise<void> => attempt(async () => again(job.processID, (await readRun(job.jobID)).inputs));
  const title = titles.get(job.processID) ?? job.processID;
  reason.hidden = !job.message;
  return h(
    "li",
    { class: `job job-${job.status}`, "data-job": job.jobID },
    h(
      "div",
      { class: "job-head" },
      h("span", { class: "job-title" }, titleOfRun(job.jobID) ?? title),
      h("span", { class: "badge job-status" }, t(`job.${job.status}`)),
    ),
    h("p", { class: "soft" }, `${title} · ${formatShortDateTime(job.created)}`),
    open
      ? h("progress", {
          max: 100,
          value: job.status === "running" ? progress : null,
          "aria-label": `${title}: ${t(`job.${job.status}`)} ${progress} %`,
        })
      : null,
    open && job.status === "running"
      ? h("p", { class: "soft" }, left === null ? `${progress} %` : t("job.left", { progress, time: writeSpan(left) }))
      : null,
    reason,
    h(
      "div",
      { class: "row row-wrap" },
      open ? textButton(t("scenario.cancel"), () => void cancel(), "button-small") : null,
      job.status === "successful"
        ? textButton(t("scenario.show"), () => void showRun(job), "button-small button-primary")
        : null,
      open ? null : textButton(t("job.again"), () => void repeat(), "button-small"),
    ),
  );
}

export interface JobList {
  element: HTMLElement;
  /** Add a job that was just started. */
  follow: (job: Job) => void;
  show: () => void;
}

/** Build the list; `again` hears the inputs of a job that somebody wants to run once more. */
export function jobList(processes: () => ProcessSummary[], again: Again): JobList {
  const list = h("div", { "aria-live": "polite" });
  let timer = 0;
  let shown = PAGE;

  const show = (): void => {
    const titles = new Map(processes().map((process) => [process.id, say(process.title_i18n, process.title)]));
    const more = (): void => {
      shown += PAGE;
      show();
    };
    const focused = list.querySelector<HTMLElement>(":focus");
    const words = focused?.textContent;
    const row = focused?.closest<HTMLElement>("[data-job]")?.dataset["job"];
    replace(
      list,
      jobsError ? failure(jobsError, () => void load()) : null,
      jobs.length === 0 && !jobsError ? empty(t("scenario.noJobs")) : null,
      h(
        "ul",
        { class: "plain-list" },
        ...jobs.slice(0, shown).map((job) => jobRow(job, titles, () => void load(), again)),
      ),
      jobs.length > shown ? textButton(t("job.older", { count: jobs.length - shown }), more, "button-small") : null,
    );
    // The list is built anew with every step of a job: who stands on a button of it stays there.
    if (row)
      [...list.querySelectorAll<HTMLElement>(`[data-job="${CSS.escape(row)}"] button`)]
        .find((button) => button.textContent === words)
        ?.focus();
  };

  /** Show what has ended: at once to who looks at the list, else by a line at the bottom of the page. */
  const settle = (before: Map<string, string>): void => {
    for (const job of jobs) {
      if (OPEN.includes(job.status) || !OPEN.includes(before.get(job.jobID) ?? "accepted") || !mine.delete(job.jobID))
        continue;
      keepMine();
      if (job.status === "failed")
        notify(t("job.notifyFailed"), {
          label: t("job.look"),
          run: () => setState({ tab: "scenario", panelOpen: true }),
        });
      else if (job.status === "successful" && getState().tab === "scenario") void showRun(job);
      else if (job.status === "successful")
        notify(t("job.notifyDone"), { label: t("scenario.show"), run: () => void showRun(job) });
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
    if (jobs.some((job) => before.get(job.jobID) !== job.status && job.status === "successful")) void refreshRuns();
    show();
    settle(before);
    plan();
  };

  const load = async (): Promise<void> => {
    const before = new Map(jobs.map((job) => [job.jobID, job.status as string]));
    try {
      jobs = await readJobs();
      jobsError = null;
    } catch (error) {
      jobsError = error;
    }
    show();
    settle(before);
    plan();
  };

  const follow = (job: Job): void => {
    mine.add(job.jobID);
    keepMine();
    jobs = [job, ...jobs.filter((entry) => entry.jobID !== job.jobID)];
    show();
    plan();
  };

  void load();
  watch(["lang"], show);
  onData("runs", show);
  watch(["tab"], (state) => {
    if (state.tab === "scenario") void load();
  });
  return { element: list, follow, show };
}
