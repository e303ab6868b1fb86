/** Before a message leaves the house: what it will say, and the last question. */

import { fold, h, replace } from "../dom";
import { explain, t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { textButton } from "../panels/parts";
import type { Alert, Policy, Preview, Writing } from "./api";
import { modeBand } from "./marks";
import { sayProblem } from "./problems";
import { saidPart } from "./said";

/** Show a message as people will read it; `issue` sends it once somebody confirmed. */
export function openIssue(
  writing: Writing,
  preview: Preview,
  policy: Policy,
  issue: () => Promise<Alert>,
  issued: (alert: Alert) => void,
): void {
  const { status, level } = writing.warning;
  const real = status === "Actual";
  const dialog = openDialog(t("warning.previewTitle"), (close) => {
    const problem = h("p", { class: "field-error", role: "alert" });
    const button = textButton(
      t(`warning.issue${status}`),
      () => void send(),
      real ? "button-danger" : "button-primary",
    );
    const word = h("input", { class: "input", name: "confirm-word", autocomplete: "off", spellcheck: false });
    const isConfirmed = (): boolean => !real || fold(word.value.trim()) === fold(t("warning.realWord"));
    const check = (): void => {
      button.disabled = preview.problems.length > 0 || !isConfirmed();
    };
    const send = async (): Promise<void> => {
      button.disabled = true;
      problem.textContent = "";
      try {
        const alert = await issue();
        close();
        issued(alert);
      } catch (error) {
        problem.textContent = explain(error);
        check();
      }
    };
    word.addEventListener("input", check);
    check();
    const typed = h(
      "label",
      { class: "field" },
      h("span", { class: "field-label" }, t("warning.typeWord", { word: t("warning.realWord") })),
      word,
    );
    return h(
      "div",
      { class: "form" },
      modeBand(status, ` ${t(real ? "warning.realWords" : "warning.notRealWords")}`),
      saidPart(preview.infos, preview.area, status, level),
      preview.xml ? xmlPart(preview.xml) : null,
      preview.problems.length > 0
        ? h(
            "ul",
            { class: "plain-list" },
            ...preview.problems.map((one) => h("li", { class: "field-error" }, sayProblem(one, policy))),
          )
        : null,
      real ? typed : null,
      problem,
      h("div", { class: "dialog-actions" }, textButton(t("app.cancel"), close), button),
    );
  });
  dialog.classList.add("dialog-wide");
}

/** The message as machines read it, folded away, with a button that copies it. */
export function xmlPart(xml: string): HTMLElement {
  const note = h("span", { class: "soft", role: "status" });
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(xml);
      note.textContent = t("network.copied");
    } catch (error) {
      note.textContent = explain(error);
    }
  };
  const body = h("div");
  const details = h("details", { class: "more" }, h("summary", {}, t("warning.xml")), body);
  details.addEventListener("toggle", () => {
    if (!details.open || body.childElementCount > 0) return;
    replace(
      body,
      h(
        "div",
        { class: "row" },
        textButton(t("warning.copyXml"), () => void copy(), "button-small"),
        note,
      ),
      h("pre", { class: "xml", tabindex: 0, "aria-label": t("warning.xml") }, xml),
    );
  });
  return details;
}
