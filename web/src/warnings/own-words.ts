/** The words of a message in both languages: the usual ones stand there until somebody writes others. */

import { h, replace } from "../dom";
import { type Key, t } from "../i18n";
import { textButton } from "../panels/parts";
import type { OwnWords } from "./api";
import { makeField } from "./fields";

export type Said = { vi: OwnWords; en: OwnWords };
type Part = keyof OwnWords;

const PARTS: readonly { part: Part; label: Key; rows: number; most: number }[] = [
  { part: "headline", label: "warning.headline", rows: 2, most: 160 },
  { part: "description", label: "warning.description", rows: 5, most: 4000 },
  { part: "instruction", label: "warning.instruction", rows: 5, most: 4000 },
];
const LANGUAGES = ["vi", "en"] as const;

export interface WordsFields {
  element: HTMLElement;
  /** Take the usual words in, where nobody wrote others. */
  update: (usual: Said) => void;
}

/** Build the fields; `own` is changed in place, `change` is told. */
export function makeWordsFields(own: Said, change: () => void): WordsFields {
  let usual: Said | null = null;
  const shows: (() => void)[] = [];

  const makeBox = (lang: "vi" | "en", { part, label, rows, most }: (typeof PARTS)[number]): HTMLElement => {
    const box = h("textarea", { class: "input", rows, maxlength: most, lang, spellcheck: true });
    const state = h("div", { class: "row row-wrap own-state" });
    const field = makeField(t(label), box);
    const show = (): void => {
      const mine = own[lang][part];
      if (document.activeElement !== box) box.value = mine || usual?.[lang][part] || "";
      const reset = textButton(
        t("warning.usual"),
        () => {
          own[lang][part] = "";
          box.value = usual?.[lang][part] ?? "";
          show();
          change();
        },
        "button-small",
      );
      replace(
        state,
        h("span", { class: "soft" }, t(mine ? "warning.ownWords" : "warning.usualWords")),
        mine ? reset : null,
      );
    };
    box.addEventListener("input", () => {
      const text = box.value.trim();
      own[lang][part] = text === usual?.[lang][part] ? "" : text;
      show();
      change();
    });
    box.addEventListener("blur", show);
    shows.push(show);
    show();
    field.element.append(state);
    return field.element;
  };
  const side = (lang: "vi" | "en"): HTMLElement =>
    h(
      "details",
      { class: "more", open: lang === "vi" },
      h("summary", {}, t(lang === "vi" ? "warning.inVietnamese" : "warning.inEnglish")),
      h("div", { class: "form" }, ...PARTS.map((one) => makeBox(lang, one))),
    );
  const element = h("div", { class: "form" }, ...LANGUAGES.map(side));
  return {
    element,
    update: (next) => {
      usual = next;
      for (const show of shows) show();
    },
  };
}
