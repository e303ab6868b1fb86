/** Edits: what is not saved yet, what was changed lately by whom and why, and the form of the item that is edited. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { notify } from "../panels/notice";
import { empty, failure, loading, section, select, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, watch } from "../state";
import type { ZoomToItem } from "../types";
import { type EditShort, readEdits } from "./api";
import { onWritten } from "./changed";
import { chooseLayer } from "./choose-layer";
import { allDrafts, findDraft, onDrafts } from "./drafts";
import { draftsPart } from "./drafts-part";
import { editDetail } from "./edit-detail";
import { type Editor, makeEditor } from "./editor";
import { type Edited, edited, openEditor, openNewItem } from "./open";

const PAGE = 20;
const FIRST_LAYER = "drainage_nodes";
const KINDS = ["edit", "revert", "mend", "load", "run"] as const;

interface Filter {
  collection: string;
  author: string;
  kind: string;
}

/** Build the part. */
export function editsPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const element = h("div");
  let editor: Editor | null = null;
  let shownEdit = "";
  let list: Overview | null = null;

  const show = (): void => {
    if (getState().tab !== "inventory" || getState().job !== "edits") return;
    const of = edited.get();
    const key = of ? `${of.layer}/${of.id ?? ""}` : "";
    if (editor && key === shownEdit) return;
    editor?.stop();
    shownEdit = key;
    editor = of ? makeEditor(map, of, () => edited.set(null)) : null;
    list = editor ? null : overview(map, zoomToItem);
    replace(element, editor?.element ?? list?.element);
  };
  onDrafts(() => list?.drafts());
  onWritten(() => list?.edits());
  edited.watch(show);
  watch(["lang"], () => {
    shownEdit = "";
    editor?.stop();
    editor = null;
    show();
  });
  window.addEventListener("beforeunload", (event) => {
    if (edited.get() && allDrafts().length > 0) event.preventDefault();
  });
  /** Leave the form: what was typed is kept, and the page says where. */
  const leave = (): void => {
    const of = edited.get();
    if (!editor || !of) return;
    editor.stop();
    if (findDraft(of)) notify(t("work.left"), { label: t("work.goOn"), run: () => goOn(of) });
  };
  watch(["tab"], (state) => {
    if (state.tab !== "inventory" && state.job === "edits") leave();
  });
  return { element, show, hide: leave };
}

const goOn = ({ layer, id }: Edited): void => (id ? openEditor(layer, id) : openNewItem(layer));

interface Overview {
  element: HTMLElement;
  /** Bring in step with the drafts, with the edits. */
  drafts: () => void;
  edits: () => void;
}

/** What one sees while nothing is edited. */
function overview(map: MapView, zoomToItem: ZoomToItem): Overview {
  const filter: Filter = { collection: "", author: "", kind: "" };
  const drafts = draftsPart(map);
  const list = h("div", { "aria-live": "polite" });
  let asked = 0;

  const ask = async (before: number | null, into: HTMLElement): Promise<void> => {
    const ticket = ++asked;
    const query = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));
    replace(into, loading());
    try {
      const { edits } = await readEdits({
        ...query,
        limit: String(PAGE),
        ...(before ? { before: String(before) } : {}),
      });
      if (ticket !== asked) return;
      const last = edits.at(-1);
      const rest = h("div");
      const more =
        last && edits.length === PAGE
          ? textButton(t("work.older"), () => void ask(last.id, rest), "button-small button-wide")
          : null;
      replace(rest, more);
      replace(
        into,
        edits.length === 0 ? empty(t("work.noEdits")) : null,
        h("ul", { class: "edits" }, ...edits.map((edit) => editRow(map, edit, zoomToItem))),
        rest,
      );
    } catch (error) {
      if (ticket === asked)
        replace(
          into,
          failure(error, () => void ask(before, into)),
        );
    }
  };
  const first = (): void => void ask(null, list);
  const author = h("input", {
    class: "input",
    placeholder: t("work.author"),
    "aria-label": t("work.author"),
    autocomplete: "off",
    onchange: (event) => {
      filter.author = (event.target as HTMLInputElement).value.trim();
      first();
    },
  });
  const kinds = [
    { value: "", label: t("work.allKinds") },
    ...KINDS.map((kind) => ({ value: kind, label: t(`work.kind_${kind}`) })),
  ];
  const element = h(
    "div",
    {},
    h("p", { class: "soft" }, t("work.editHint")),
    newItemRow(),
    drafts.element,
    section(
      t("work.recent"),
      h(
        "div",
        { class: "edit-filter" },
        chooseLayer(t("work.layer"), "", t("work.allLayers"), (layer) => {
          filter.collection = layer;
          first();
        }),
        select(t("work.kind"), kinds, "", (kind) => {
          filter.kind = kind;
          first();
        }),
        author,
      ),
      list,
    ),
  );
  first();
  return { element, drafts: drafts.update, edits: first };
}

function newItemRow(): HTMLElement {
  const selection = getState().selection?.layer ?? FIRST_LAYER;
  const layer = chooseLayer(t("work.layer"), selection, null, () => undefined);
  return h(
    "div",
    { class: "new-item" },
    layer,
    textButton(t("work.newItem"), () => openNewItem(layer.value), "", "plus"),
  );
}

function editRow(map: MapView, edit: EditShort, zoomToItem: ZoomToItem): HTMLElement {
  const layers = edit.collections.map((layer) => say(findVectorLayer(layer)?.title, layer)).join(", ");
  const detail = h("div");
  const row = h(
    "details",
    {
      class: "edit",
      "data-edit": edit.id,
      ontoggle: () => {
        if (row.open && !detail.hasChildNodes()) detail.append(editDetail(map, edit, zoomToItem));
      },
    },
    h(
      "summary",
      {},
      h("span", { class: "edit-title" }, edit.reason || t(`work.kind_${edit.kind}`)),
      h("span", { class: "soft" }, `${formatShortDateTime(edit.at)} · ${edit.author} · ${t(`work.kind_${edit.kind}`)}`),
      h("span", { class: "soft" }, layers),
    ),
    detail,
  );
  return h("li", {}, row);
}
