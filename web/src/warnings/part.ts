/** Warnings at the flood desk: the list, the editor, a message; which page is open stands in the link. */

import "../styles/warnings.css";
import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { drawNetwork } from "../map/network";
import { notify } from "../panels/notice";
import { failure, loading } from "../panels/parts";
import type { Part } from "../panels/tools";
import { watch } from "../state";
import { type Alert, type Policy, readAlert, readDrafts, readPolicy, type Writing } from "./api";
import { type Editing, makeEditor, writeDown } from "./editor";
import { listPage } from "./list";
import { messagePage } from "./message";
import { page } from "./page";
import { startWarning } from "./starting";
import { readWards, type Ward } from "./wards";

/** Return what the editor of a page begins with. */
async function readEditing(policy: Policy, wards: readonly Ward[]): Promise<Editing> {
  const at = page.get();
  if (at.at === "draft") {
    const draft = (await readDrafts()).find(({ id }) => id === at.draft);
    if (!draft) throw new Error(t("warning.noDraft"));
    const writing: Writing = { warning: draft.warning, msgType: draft.msgType, chains: draft.chains };
    const updates = writing.msgType === "Update" ? (writing.chains[0] ?? null) : null;
    return { writing, draft: draft.id, updates, reason: draft.reason, kept: writeDown(writing) };
  }
  if (at.at === "update") {
    const { warning, chain } = await readAlert(at.identifier);
    return {
      writing: { warning, msgType: "Update", chains: [chain] },
      draft: null,
      updates: at.identifier,
      reason: "",
      kept: "",
    };
  }
  const writing: Writing = { warning: startWarning(policy.proposals, wards), msgType: "Alert", chains: [] };
  return { writing, draft: null, updates: null, reason: "", kept: "" };
}

/** Build the part. */
export function warningsPart(map: MapView): Part {
  const element = h("div", { class: "warnings" });
  let stop = (): void => undefined;
  let asked = 0;
  /** What is being written, kept while the language changes or another desk is looked at. */
  let written: { at: string; editing: Editing } | null = null;

  const openEditor = async (policy: Policy, wards: readonly Ward[]): Promise<HTMLElement> => {
    const at = JSON.stringify(page.get());
    if (written?.at !== at) written = { at, editing: await readEditing(policy, wards) };
    const editor = makeEditor(map, policy, wards, written.editing, {
      issued: (alert: Alert) => {
        written = null;
        notify(t("warning.issued"));
        page.set({ at: "alert", identifier: alert.identifier });
      },
      kept: (draft) => {
        written = null;
        page.set({ at: "draft", draft });
      },
      left: () => {
        written = null;
        page.set({ at: "list" });
      },
      open: (identifier) => page.set({ at: "alert", identifier }),
    });
    stop = editor.stop;
    return editor.element;
  };
  const show = async (): Promise<void> => {
    const ticket = ++asked;
    stop();
    stop = () => undefined;
    drawNetwork(map, null);
    replace(element, loading());
    try {
      const [policy, wards] = await Promise.all([readPolicy(), readWards()]);
      const at = page.get();
      const built =
        at.at === "list"
          ? listPage(policy, wards)
          : at.at === "alert"
            ? messagePage(map, at.identifier)
            : await openEditor(policy, wards);
      if (ticket !== asked) return;
      replace(element, built);
      element.closest(".panel-scroll")?.scrollTo(0, 0);
    } catch (error) {
      if (ticket === asked)
        replace(
          element,
          failure(error, () => void show()),
        );
    }
  };
  let open = false;
  const again = (): void => {
    if (open) void show();
  };
  page.watch(again);
  watch(["lang"], again);
  return {
    element,
    show: () => {
      open = true;
      void show();
    },
    hide: () => {
      open = false;
      stop();
    },
  };
}
