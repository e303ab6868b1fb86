/** The form in which one item is edited: values, place, reason; what is wrong stands at its field. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { boundsOf, bringInView, highlight, zoomTo } from "../map/pick";
import { confirmAction } from "../panels/dialog";
import { failure, iconButton, loading, textButton } from "../panels/parts";
import { getState, setState, toggleLayer } from "../state";
import { type Finding, type LayerSchema, readSchema, readVersion } from "./api";
import { conflictPart } from "./conflict";
import { type Draft, dropDrafts, findDraft, findProblems, isChanged, keepDraft, textOf, typeText } from "./drafts";
import { makeGeometryField } from "./geometry-field";
import type { Edited } from "./open";
import { makePropertyField, type PropertyField } from "./property-field";
import { makeReasonField } from "./reason-field";
import { checkDrafts, findingWords, type Saved, saveDrafts } from "./saving";
import { isRequired, ownProperties } from "./values";

export interface Editor {
  element: HTMLElement;
  /** End what is drawn on the map. */
  stop: () => void;
}

const KEEP_MS = 300;

async function begin(of: Edited): Promise<Draft> {
  const kept = findDraft(of);
  if (kept) return structuredClone(kept);
  const { layer, id } = of;
  if (id === null) return { layer, id: "", op: "create", etag: "", before: null, texts: {}, geometry: null };
  const { item, etag } = await readVersion(layer, id);
  return { layer, id, op: "update", etag, before: item, texts: {}, geometry: null };
}

/** Build the editor of an item; `close` goes back to the list. */
export function makeEditor(map: MapView, of: Edited, close: () => void): Editor {
  const element = h("div", { class: "editor" });
  let stop = (): void => undefined;
  const open = async (): Promise<void> => {
    replace(element, loading());
    try {
      const [schema, draft] = await Promise.all([readSchema(of.layer), begin(of)]);
      stop = showForm(map, element, schema, draft, close, () => void open());
    } catch (error) {
      replace(
        element,
        backButton(close),
        failure(error, () => void open()),
      );
    }
  };
  void open();
  return { element, stop: () => stop() };
}

const backButton = (close: () => void): HTMLElement => textButton(t("work.back"), close, "button-small");

function showForm(
  map: MapView,
  element: HTMLElement,
  schema: LayerSchema,
  draft: Draft,
  close: () => void,
  reopen: () => void,
): () => void {
  const layer = findVectorLayer(draft.layer);
  const isNew = draft.op === "create";
  const findings = h("div", { class: "findings", "aria-live": "polite" });
  const reason = makeReasonField();
  const shape = (): GeoJSON.Geometry | null => draft.geometry ?? draft.before?.geometry ?? null;
  let waiting = 0;
  let busy = false;

  const keep = (): void => {
    clearTimeout(waiting);
    waiting = window.setTimeout(() => {
      keepDraft(structuredClone(draft));
      update();
    }, KEEP_MS);
  };
  const keepNow = (): void => {
    clearTimeout(waiting);
    keepDraft(structuredClone(draft));
  };
  const fields: PropertyField[] = ownProperties(schema).map(([name, property]) =>
    makePropertyField(name, property, isRequired(schema, name), textOf(draft, schema, name), (text) => {
      typeText(draft, schema, name, text);
      keep();
    }),
  );
  const fieldOf = (name: string | null): PropertyField | undefined => fields.find((field) => field.name === name);
  const place = makeGeometryField(map, draft.layer, {
    get: shape,
    set: (geometry) => {
      draft.geometry = geometry;
      keep();
    },
    joined: (from, to) => {
      for (const [name, node] of [
        ["from_node", from],
        ["to_node", to],
      ] as const) {
        const field = fieldOf(name);
        if (!field || !node) continue;
        field.set(node);
        typeText(draft, schema, name, node);
      }
      keep();
    },
  });

  /** Put findings at the fields that they are about, the others into a list of their own. */
  const showFindings = (found: readonly Finding[], words: string): void => {
    const elsewhere: Finding[] = [];
    for (const finding of found.filter(({ standing }) => !standing)) {
      const isOwn = finding.feature === draft.id || isNew;
      if (isOwn && finding.property === "geometry") place.say(findingWords(finding));
      else if (isOwn && fieldOf(finding.property))
        fieldOf(finding.property)!.say(findingWords(finding), finding.severity);
      else elsewhere.push(finding);
    }
    const line = (finding: Finding): HTMLElement =>
      h(
        "li",
        { class: `finding finding-${finding.severity}` },
        h("strong", {}, finding.feature),
        " ",
        findingWords(finding),
      );
    const standing = found.filter((finding) => finding.standing).length;
    replace(
      findings,
      words ? h("p", { class: "soft" }, words) : null,
      elsewhere.length > 0 ? h("ul", {}, ...elsewhere.map(line)) : null,
      standing > 0 ? h("p", { class: "soft" }, t("work.standing", { count: standing })) : null,
    );
    const first = fields.find((field) => field.element.querySelector("[aria-invalid=true]"));
    first?.focus();
  };
  /** Whether the form can be sent; what is wrong is marked. */
  const isSound = (): boolean => {
    const problems = findProblems(draft, schema);
    for (const field of fields) field.say(problems.get(field.name) ?? "", "error");
    const lacksPlace = isNew && !shape();
    place.say(lacksPlace ? t("work.placeNeeded") : "");
    if (problems.size > 0) fields.find((field) => problems.has(field.name))?.focus();
    return problems.size === 0 && !lacksPlace;
  };
  const act = async (send: (why: string) => Promise<Saved>, done: (saved: Saved & { kind: "done" }) => void) => {
    if (busy || !isSound()) return;
    const why = reason.read();
    if (why === null) return;
    busy = true;
    clearTimeout(waiting);
    if (draft.op !== "delete") keepNow();
    replace(findings, loading(t("work.saving")));
    try {
      const saved = await send(why);
      if (saved.kind === "done") done(saved);
      else if (saved.kind === "rejected") showFindings(saved.findings, t("work.rejected"));
      else await showConflict();
    } catch (error) {
      replace(findings, failure(error));
    }
    busy = false;
  };
  const showConflict = async (): Promise<void> => {
    const now = await readVersion(draft.layer, draft.id);
    replace(
      findings,
      conflictPart(draft, now, schema, (resolved) => {
        keepDraft(resolved);
        if (!isChanged(resolved)) dropDrafts([resolved]);
        reopen();
      }),
    );
    findings.scrollIntoView({ block: "center" });
  };
  const leave = (): void => {
    place.stop();
    highlight(map, null);
    close();
  };
  const save = (): Promise<void> =>
    act(
      (why) => saveDrafts(map, [draft], why),
      ({ outcome }) => {
        const made = outcome.results[0];
        leave();
        if (made && isNew) setState({ place: null, selection: { layer: made.collection, id: made.id } });
      },
    );
  const check = (): Promise<void> =>
    act(
      (why) => checkDrafts([draft], why),
      ({ outcome }) => showFindings(outcome.findings, t(outcome.findings.length > 0 ? "work.warned" : "work.sound")),
    );
  const remove = async (): Promise<void> => {
    const why = reason.read();
    if (
      why === null ||
      !(await confirmAction(t("work.delete"), t("work.deleteWords", { id: draft.id }), t("work.delete")))
    )
      return;
    draft.op = "delete";
    await act(
      (words) => saveDrafts(map, [draft], words),
      () => {
        const { selection } = getState();
        leave();
        if (selection?.layer === draft.layer && selection.id === draft.id) setState({ selection: null });
      },
    );
    draft.op = "update";
  };
  const discard = (): void => {
    clearTimeout(waiting);
    dropDrafts([draft]);
    leave();
  };
  const later = (): void => {
    keepNow();
    leave();
  };
  const buttons = h("div", { class: "editor-actions" });
  const update = (): void => {
    const changed = isChanged(draft) || isNew;
    const saving = textButton(t("work.save"), () => void save(), "button-small button-primary");
    const checking = textButton(t("work.check"), () => void check(), "button-small");
    saving.disabled = checking.disabled = !changed;
    const shown = document.activeElement?.textContent;
    replace(
      buttons,
      saving,
      checking,
      textButton(t("work.later"), later, "button-small"),
      isChanged(draft) ? textButton(t("work.discard"), discard, "button-small") : null,
      isNew ? null : textButton(t("work.delete"), () => void remove(), "button-small button-danger"),
    );
    for (const button of buttons.querySelectorAll("button")) if (button.textContent === shown) button.focus();
  };
  const idField = isNew ? makeIdField(draft, keep) : null;
  update();
  const geometry = shape();
  if (geometry) {
    highlight(map, geometry);
    bringInView(map, boundsOf(geometry));
  }
  if (!getState().layers.has(draft.layer)) toggleLayer(draft.layer, true);
  replace(
    element,
    backButton(later),
    h(
      "header",
      { class: "editor-head" },
      h("h3", {}, isNew ? t("work.newOf", { layer: say(layer?.title, draft.layer) }) : draft.id),
      isNew ? null : h("p", { class: "soft" }, say(layer?.title, draft.layer)),
      geometry
        ? iconButton("target", t("card.zoom"), () => zoomTo(map, shape() ?? geometry), "icon-button-quiet")
        : null,
    ),
    h(
      "form",
      {
        class: "form",
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          void save();
        },
      },
      idField,
      place.element,
      ...fields.map((field) => field.element),
      reason.element,
      findings,
      buttons,
    ),
  );
  return place.stop;
}

function makeIdField(draft: Draft, keep: () => void): HTMLElement {
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, t("work.newId")),
    h("input", {
      class: "input",
      name: "id",
      value: draft.id,
      maxlength: 200,
      autocomplete: "off",
      oninput: (event) => {
        draft.id = (event.target as HTMLInputElement).value.trim();
        keep();
      },
    }),
    h("span", { class: "soft field-hint" }, t("work.newIdHint")),
  );
}
