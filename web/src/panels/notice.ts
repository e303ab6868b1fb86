/** A line at the bottom of the page that says what was done, with one thing to do about it, such as to undo it. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { iconButton, textButton } from "./parts";

const SHORT_MS = 6_000;
/** Who can act on it needs time to read it. */
const LONG_MS = 20_000;

let holder: HTMLElement | null = null;
let hide = 0;

/** Say something without taking the focus; the next notice takes its place. */
export function notify(words: string, action?: { label: string; run: () => void }): void {
  if (!holder) {
    holder = h("div", { class: "notice", role: "status" });
    document.body.append(holder);
  }
  const shown = holder;
  const clear = (): void => {
    clearTimeout(hide);
    replace(shown);
  };
  const act = action
    ? textButton(
        action.label,
        () => {
          clear();
          action.run();
        },
        "button-small",
      )
    : null;
  replace(shown, h("span", {}, words), act, iconButton("close", t("app.close"), clear, "icon-button-quiet"));
  clearTimeout(hide);
  hide = window.setTimeout(clear, action ? LONG_MS : SHORT_MS);
}
