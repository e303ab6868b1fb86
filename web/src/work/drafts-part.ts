/** The edits that are not saved yet: gone on with, thrown away, or saved together as one. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { empty, failure, iconButton, loading, section, textButton } from "../panels/parts";
import { readSchema } from "./api";
import { allDrafts, type Draft, dropDrafts, editedOf, findProblems, isChanged } from "./drafts";
import { edited } from "./open";
import { makeReasonField } from "./reason-field";
import { findingWords, saveDrafts } from "./saving";

/** Build the list; it is empty where there is nothing to save. */
export function draftsPart(map: MapView): { element: HTMLElement; update: () => void } {
  const element = h("div");
  const said = h("div", { "aria-live": "polite" });
  const reason = makeReasonField();

  const save = async (): Promise<void> => {
    const drafts = allDrafts().filter(isChanged);
    const why = reason.read();
    if (why === null) return;
    replace(said, loading(t("work.saving")));
    try {
      const schemas = await Promise.all(drafts.map((draft) => readSchema(draft.layer)));
      const wrong = drafts.filter((draft, at) => findProblems(draft, schemas[at]!).size > 0);
      if (wrong.length > 0) {
        replace(said, empty(t("work.wrongDrafts", { ids: wrong.map(nameOf).join(", ") })));
        return;
      }
      const saved = await saveDrafts(map, drafts, why);
      if (saved.kind === "stale") replace(said, empty(t("work.staleDrafts")));
      else if (saved.kind === "rejected")
        replace(
          said,
          h(
            "ul",
            { class: "findings" },
            ...saved.findings
              .filter(({ standing }) => !standing)
              .map((one) =>
                h("li", { class: `finding finding-${one.severity}` }, `${one.feature}: ${findingWords(one)}`),
              ),
          ),
        );
      else replace(said);
    } catch (error) {
      replace(
        said,
        failure(error, () => void save()),
      );
    }
  };
  const row = (draft: Draft): HTMLElement =>
    h(
      "li",
      { class: "draft" },
      h("button", { type: "button", class: "link-button", onclick: () => edited.set(editedOf(draft)) }, nameOf(draft)),
      h("span", { class: "soft" }, t("work.draftWords", { count: changesOf(draft) })),
      iconButton("close", t("work.dropDraft", { id: nameOf(draft) }), () => dropDrafts([draft]), "icon-button-quiet"),
    );
  const update = (): void => {
    const drafts = allDrafts().filter(isChanged);
    if (drafts.length === 0) {
      replace(element, said);
      return;
    }
    replace(
      element,
      section(
        t("work.unsaved", { count: drafts.length }),
        h("ul", { class: "drafts" }, ...drafts.map(row)),
        reason.element,
        said,
        textButton(t("work.saveSet", { count: drafts.length }), () => void save(), "button-primary"),
      ),
    );
  };
  update();
  return { element, update };
}

const changesOf = (draft: Draft): number => Object.keys(draft.texts).length + (draft.geometry ? 1 : 0);

function nameOf(draft: Draft): string {
  const layer = say(findVectorLayer(draft.layer)?.title, draft.layer);
  return draft.op === "create" ? t("work.newOf", { layer }) : `${draft.id} (${layer})`;
}
