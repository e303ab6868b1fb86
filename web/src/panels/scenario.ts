/** Scenarios: choose an analysis, fill in its form, run it, follow its job. */

import { may } from "../account/me";
import "../styles/warnings.css";
import type { Map as MapView } from "maplibre-gl";
import { readItems, readProcess, readProcesses, startJob } from "../api";
import { findVectorLayer, getCity, isFlood } from "../data";
import { h, replace } from "../dom";
import { addWords, explain, say, t } from "../i18n";
import { warningsEn } from "../i18n/warnings-en";
import { warningsVi } from "../i18n/warnings-vi";
import { watch } from "../state";
import type { Process, ProcessSummary } from "../types";
import { type Form, makeForm } from "./form";
import { jobList, usualSeconds } from "./jobs";
import { empty, failure, loading, section } from "./parts";
import { presetRow } from "./presets";
import { writeSpan } from "./spans";

addWords({ vi: warningsVi, en: warningsEn });

const SCENARIO = "flood-scenario";
const FIRST_CHOICE = "scenario";
const MOST_PUMPS = "500";

let processes: ProcessSummary[] = [];
let chosen: Process | null = null;

/** Return the ids of the pumps of the city; none where they cannot be read. */
async function readPumps(): Promise<string[]> {
  if (!findVectorLayer("drainage_links")?.count) return [];
  try {
    const query = { link_type: "pump", properties: "link_type", skipGeometry: "true", limit: MOST_PUMPS };
    return (await readItems("drainage_links", query)).features.map(({ id }) => id);
  } catch {
    return [];
  }
}

/** Build the panel; `map` is where places are pointed at. */
export function scenarioPanel(map?: MapView): HTMLElement {
  const chooser = h("div");
  const presets = h("div");
  const form = h("div");
  let built: Form | null = null;
  /** Inputs of an earlier run, entered once the form stands. */
  let again: Readonly<Record<string, unknown>> | null = null;

  const jobs = jobList(
    () => processes,
    (process, inputs) => {
      again = inputs;
      void choose(process).then(() => {
        showChooser();
        form.scrollIntoView({ block: "start" });
      });
    },
  );
  const jobsHolder = h("div");

  const showPresets = async (process: Process, made: Form, note: HTMLElement): Promise<void> => {
    replace(presets);
    if (process.id !== SCENARIO) return;
    const pumps = await readPumps();
    if (chosen !== process) return;
    replace(
      presets,
      presetRow(pumps, (inputs, title) => {
        const known = Object.entries(inputs).filter(([name]) => name in process.inputs);
        made.fill(Object.fromEntries(known));
        note.className = "note";
        note.textContent = t("preset.filled", { title });
      }),
    );
  };
  const showForm = (): void => {
    const process = chosen;
    if (!process) return;
    const message = h("p", { class: "note", role: "status" });
    const button = h("button", { type: "submit", class: "button button-primary button-wide" }, t("scenario.run"));
    button.hidden = !may("run");
    const seconds = usualSeconds(process.id);
    const estimate =
      seconds === null ? null : h("p", { class: "soft" }, t("scenario.estimate", { time: writeSpan(seconds) }));
    const submit = async (): Promise<void> => {
      const inputs = made.read();
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
    const made = makeForm(
      process,
      () => void submit(),
      [estimate, button, message].filter((one) => one !== null),
      map,
    );
    built = made;
    if (again) made.fill(again);
    again = null;
    const description = say(process.description_i18n, process.description ?? "");
    // Without a main gauge somebody must say where the water level comes from: what is folded away is needed.
    const lacksGauge = "gauge" in process.inputs && getCity().main_gauge === null;
    const more = made.element.querySelector("[name=gauge]")?.closest("details");
    if (more && lacksGauge) more.open = true;
    replace(
      form,
      description ? h("p", { class: "soft" }, description) : null,
      lacksGauge ? h("p", { class: "note" }, t("scenario.noGauge")) : null,
      presets,
      made.element,
    );
    void showPresets(process, made, message);
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

  /** Floods come first: they are what the desk asks for. */
  const showChooser = (): void => {
    if (processes.length === 0) {
      replace(chooser, empty(t("scenario.none")));
      return;
    }
    const option = (process: ProcessSummary): HTMLElement =>
      h("option", { value: process.id }, say(process.title_i18n, process.title));
    const box = h(
      "select",
      {
        class: "select",
        "aria-label": t("scenario.process"),
        onchange: (event) => void choose((event.target as HTMLSelectElement).value),
      },
      h("optgroup", { label: t("scenario.floods") }, ...processes.filter(({ id }) => isFlood(id)).map(option)),
      h("optgroup", { label: t("scenario.others") }, ...processes.filter(({ id }) => !isFlood(id)).map(option)),
    );
    box.value = chosen?.id ?? "";
    replace(chooser, h("label", { class: "field" }, h("span", { class: "field-label" }, t("scenario.process")), box));
  };

  const load = async (): Promise<void> => {
    replace(chooser, loading());
    try {
      processes = await readProcesses();
      const first = processes.find((process) => process.id.includes(FIRST_CHOICE)) ?? processes[0];
      if (first) await choose(first.id);
      showChooser();
      jobs.show();
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
    // What was entered outlives the change of language.
    again = built?.read() ?? null;
    showForm();
    showJobs();
  });
  return h("div", { class: "panel-body" }, chooser, form, jobsHolder);
}
