/** A part of a panel that looks at runs of some processes: the choice among them, and what the chosen one says. */

import { networkRuns, onData } from "../data";
import { h, replace } from "../dom";
import { failure, loading } from "../panels/parts";
import type { Part } from "../panels/tools";
import { watch } from "../state";
import type { RunShort } from "../types";
import { findChosen, listRuns, runChooser } from "./runs";

export interface RunPage {
  isOpen: () => boolean;
  isWanted: (process: string) => boolean;
  /** What stands in place of the choice where there is no run. */
  none: () => HTMLElement;
  /** Read a run and build what it says. */
  read: (run: RunShort) => Promise<HTMLElement>;
  /** What stands above the choice, and what brings it in step. */
  head?: HTMLElement;
  update?: (runs: RunShort[]) => void;
  /** Whether the run is read again each time the part comes on the screen, as its drawing has gone. */
  isDrawn?: boolean;
}

/** Build the part. */
export function makeRunPage(page: RunPage): Part {
  const chooser = h("div");
  const body = h("div", { "aria-live": "polite" });
  let shown = "";

  const load = async (run: RunShort): Promise<void> => {
    shown = run.id;
    replace(body, loading());
    try {
      const built = await page.read(run);
      if (shown === run.id) replace(body, built);
    } catch (error) {
      if (shown !== run.id) return;
      replace(
        body,
        failure(error, () => void load(run)),
      );
    }
  };
  const update = (again = false): void => {
    if (!page.isOpen()) return;
    const runs = listRuns(page.isWanted);
    if (networkRuns) page.update?.(runs);
    replace(chooser, runChooser(runs, page.none));
    const chosen = findChosen(runs);
    if (chosen && (chosen.id !== shown || again)) void load(chosen);
  };
  onData("runs", () => update());
  watch(["networkRun"], () => update());
  watch(["lang"], () => update(true));
  const element = h("div", { class: "form" }, page.head ?? null, chooser, body);
  return { element, show: () => update(page.isDrawn === true) };
}
