/** The form of a process whose runs a part looks at: made from its description, started and followed here. */

import { orNone, readProcess } from "../api";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { makeStarter } from "../networks/job";
import { type Form, makeForm } from "../panels/form";
import { failure, loading } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, watch } from "../state";
import type { Process } from "../types";

/** Say that this city's server does not offer what a part is for. */
export const absent = (): HTMLElement => h("p", { class: "soft", role: "status" }, t("traffic.absent"));

/** Return the description of a process, null where the server has none of that name. */
export const findProcess = (id: string): Promise<Process | null> => orNone(readProcess(id));

/** Build a part once it is known that the server offers its process; say so where it does not. */
export function offeredPart(process: string, build: () => Part): Part {
  const element = h("div", {}, loading());
  let part: Part | null = null;
  const show = async (): Promise<void> => {
    try {
      if (!part && !(await findProcess(process))) {
        replace(element, absent());
        return;
      }
      part ??= build();
      replace(element, part.element);
      part.show?.();
    } catch (error) {
      replace(
        element,
        failure(error, () => void show()),
      );
    }
  };
  watch(["lang"], () => {
    if (!part) void show();
  });
  return { element, show: () => void show(), hide: () => part?.hide?.() };
}

/** Make the form; it is folded away once there are runs to look at. */
export function makeRunForm(id: string): { element: HTMLElement; update: (hasRuns: boolean) => void } {
  const element = h("div");
  let asked: Promise<Process | null> | null = null;
  let shown = "";

  const build = (process: Process, hasRuns: boolean): void => {
    const starter = makeStarter(
      id,
      () => t("traffic.run"),
      () => form.read(),
    );
    const form: Form = makeForm(process, () => starter.start(), [starter.element]);
    const description = say(process.description_i18n, process.description ?? "");
    const title = say(process.title_i18n, process.title);
    replace(
      element,
      h(
        "details",
        { class: "more", open: !hasRuns },
        h("summary", {}, `${t("traffic.newRun")}: ${title}`),
        description ? h("p", { class: "soft" }, description) : null,
        form.element,
      ),
    );
  };
  const load = async (hasRuns: boolean): Promise<void> => {
    if (!shown) replace(element, loading());
    asked ??= findProcess(id);
    try {
      const process = await asked;
      const { lang } = getState();
      if (shown === lang) return;
      shown = lang;
      if (process) build(process, hasRuns);
      else replace(element, absent());
    } catch (error) {
      asked = null;
      replace(
        element,
        failure(error, () => void load(hasRuns)),
      );
    }
  };
  return { element, update: (hasRuns) => void load(hasRuns) };
}
