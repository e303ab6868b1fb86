/** Dialogs: the browser's own, which keeps the focus inside and closes on Escape. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { iconButton, textButton } from "./parts";

/** Open a dialog; `build` gets what closes it, `closed` is told however it was closed. */
export function openDialog(
  title: string,
  build: (close: () => void) => HTMLElement,
  closed?: () => void,
): HTMLDialogElement {
  const dialog = h("dialog", { class: "dialog", "aria-label": title });
  const close = (): void => dialog.close();
  replace(
    dialog,
    h(
      "header",
      { class: "dialog-head" },
      h("h2", {}, title),
      iconButton("close", t("app.close"), close, "icon-button-quiet"),
    ),
    h("div", { class: "dialog-body" }, build(close)),
  );
  // A click beside the dialog is a click on its backdrop, which is the dialog itself.
  dialog.addEventListener("mousedown", (event) => {
    if (event.target === dialog) close();
  });
  // Escape in a dialog is not Escape in the page behind it.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask whether to go on; what cannot be taken back is asked in a warning colour. */
export function confirmAction(title: string, words: string, label: string, danger = true): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = false;
    const give = (yes: boolean, close: () => void): void => {
      answer = yes;
      close();
    };
    openDialog(
      title,
      (close) =>
        h(
          "div",
          {},
          h("p", {}, words),
          h(
            "div",
            { class: "dialog-actions" },
            textButton(t("app.cancel"), () => give(false, close)),
            textButton(label, () => give(true, close), danger ? "button-danger" : "button-primary"),
          ),
        ),
      () => resolve(answer),
    );
  });
}
