/** A question that is asked anew whenever it changes: what comes too late is dropped. */

import { isOurs } from "../api";
import { h, replace } from "../dom";
import { explain, t } from "../i18n";
import { failure, loading } from "../panels/parts";

export interface Asker {
  element: HTMLElement;
  /** Ask; `question` returns null where it is not complete, which takes the answer away. */
  ask: (question: ((signal: AbortSignal) => Promise<HTMLElement>) | null) => void;
}

/** Make the holder of an answer. `away` is called when there is none any more, `describe` says why one was refused. */
export function makeAsker(away: () => void, describe: (error: unknown) => string = explain): Asker {
  const element = h("div", { class: "answer-holder", "aria-live": "polite" });
  let request: AbortController | null = null;

  const ask: Asker["ask"] = (question) => {
    request?.abort();
    request = null;
    if (!question) {
      element.classList.remove("is-asking");
      replace(element);
      away();
      return;
    }
    const own = new AbortController();
    request = own;
    if (element.childElementCount === 0) replace(element, loading(t("traffic.asking")));
    else element.classList.add("is-asking");
    question(own.signal).then(
      (answer) => {
        if (own.signal.aborted) return;
        element.classList.remove("is-asking");
        replace(element, answer);
      },
      (error: unknown) => {
        if (own.signal.aborted) return;
        element.classList.remove("is-asking");
        replace(element, failure(new Error(describe(error)), isOurs(error) ? undefined : () => ask(question)));
        away();
      },
    );
  };
  return { element, ask };
}
