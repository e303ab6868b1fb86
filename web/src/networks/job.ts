/** A run that is started from a panel of networks or traffic: its button, its progress, what became of it. */

import { cancelJob, readJob, startJob } from "../api";
import { h, replace } from "../dom";
import { sayHalf, t } from "../i18n";
import { failure, textButton } from "../panels/parts";
import type { Job } from "../types";
import { openNetworkRun } from "./runs";

const POLL_MS = 700;

const isOpen = (job: Job): boolean => job.status === "accepted" || job.status === "running";

const pause = (): Promise<void> => new Promise((resolve) => window.setTimeout(resolve, POLL_MS));

/**
 * Make a button that starts `process` with the inputs of the moment; its run is opened when it is done, by `open` where
 * it has a place of its own. Where `inputs`
 * returns null, something is wrong with them and nothing is started.
 */
export function makeStarter(
  process: string,
  label: () => string,
  inputs: () => Record<string, unknown> | null,
  open: (id: string) => Promise<void> = (id) => openNetworkRun(id, process),
): { element: HTMLElement; update: () => void; start: () => void } {
  const element = h("div", { "aria-live": "polite" });
  let running: Job | null = null;
  let problem: unknown = null;

  const follow = async (): Promise<void> => {
    const values = inputs();
    if (running || !values) return;
    problem = null;
    try {
      running = await startJob(process, values);
      update();
      while (isOpen(running)) {
        await pause();
        running = await readJob(running.jobID);
        update();
      }
      const { jobID, status, message } = running;
      if (status === "successful") await open(jobID);
      else if (status === "failed") problem = new Error(message ?? t("job.failed"));
    } catch (error) {
      problem = error;
    }
    running = null;
    update();
  };
  const update = (): void => {
    if (running) {
      const { jobID, progress, message } = running;
      replace(
        element,
        h("progress", { max: 100, value: progress ?? 0, "aria-label": label() }),
        h("p", { class: "soft" }, sayHalf(message ?? "") || t(`job.${running.status}`)),
        textButton(t("scenario.cancel"), () => void cancelJob(jobID), "button-small"),
      );
      return;
    }
    const button = textButton(label(), () => void follow(), "button-small button-primary", "play");
    replace(element, problem ? failure(problem, () => void follow()) : h("div", { class: "row" }, button));
  };
  update();
  return { element, update, start: () => void follow() };
}
