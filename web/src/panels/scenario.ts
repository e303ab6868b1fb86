/** Scenarios: choose an analysis, fill in its form, run it, follow its job. */

import { readProcess, readProcesses, startJob } from "../api";
import { getCity } from "../data";
import { h, replace } from "../dom";
import { explain, say, t } from "../i18n";
import { watch } from "../state";
import type { Process, ProcessSummary } from "../types";
import { makeForm } from "./form";
import { jobList } from "./jobs";
import { empty, failure, loading, section, select } from "./parts";

const FIRST_CHOICE = "scenario";

let processes: ProcessSummary[] = [];
let chosen: Process | null = null;

/** Build the panel. */
export function scenarioPanel(): HTMLElement {
  const chooser = h("div");
  const form = h("div");
  const jobs = jobList(() => processes);
  const jobsHolder = h("div");

  const showForm = (): void => {
    const process = chosen;
    if (!process) return;
    const message = h("p", { class: "note", role: "status" });
    const button = h("button", { type: "submit", class: "button button-primary button-wide" }, t("scenario.run"));
    const submit = async (): Promise<void> => {
      const inputs = built.read();
      if (!inputs) return;
      button.disabled = true;
      message.className = "note";
      message.textContent = "";
      try {
        jobs.follow(await startJob(process.id, inputs));
        message.textContent = t("scenario.started");
      } catch (error) {
        message.className = "note field-error";
        message.textContent = explain(error);
      } finally {
        button.disabled = false;
      }
    };
    const built = makeForm(process, () => void submit(), button, message);
    const description = say(process.description_i18n, process.description ?? "");
    // Without a main gauge somebody must say where the water level comes from: what is folded away is needed.
    const lacksGauge = "gauge" in process.inputs && getCity().main_gauge === null;
    const more = built.element.querySelector("[name=gauge]")?.closest("details");
    if (more && lacksGauge) more.open = true;
    replace(
      form,
      description ? h("p", { class: "soft" }, description) : null,
      lacksGauge ? h("p", { class: "note" }, t("scenario.noGauge")) : null,
      built.element,
    );
  };

  const choose = async (id: string): Promise<void> => {
    replace(form, loading());
    try {
      chosen = await readProcess(id);
      showForm();
    } catch (error) {
      replace(
        form,
        failure(error, () => void choose(id)),
      );
    }
  };

  const showChooser = (): void => {
    if (processes.length === 0) {
      replace(chooser, empty(t("scenario.none")));
      return;
    }
    const choices = processes.map((process) => ({ value: process.id, label: say(process.title_i18n, process.title) }));
    const box = select(t("scenario.process"), choices, chosen?.id ?? choices[0]!.value, (id) => void choose(id));
    replace(chooser, h("label", { class: "field" }, h("span", { class: "field-label" }, t("scenario.process")), box));
  };

  const load = async (): Promise<void> => {
    replace(chooser, loading());
    try {
      processes = await readProcesses();
      const first = processes.find((process) => process.id.includes(FIRST_CHOICE)) ?? processes[0];
      if (first) await choose(first.id);
      showChooser();
    } catch (error) {
      replace(
        chooser,
        failure(error, () => void load()),
      );
    }
  };

  const showJobs = (): void => replace(jobsHolder, section(t("scenario.jobs"), jobs.element));
  void load();
  showJobs();
  watch(["lang"], () => {
    if (processes.length > 0) showChooser();
    showForm();
    showJobs();
  });
  return h("div", { class: "panel-body" }, chooser, form, jobsHolder);
}
