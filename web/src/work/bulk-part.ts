/** One change of many items: which ones, to what, what would come of it, done as one edit. */

import type { Map as MapView } from "maplibre-gl";
import { ApiError, request } from "../api";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { explain, say, t } from "../i18n";
import { type Sketching, startSketch } from "../map/sketch";
import { filters } from "../map/tile-query";
import { empty, failure, loading, section, select, textButton } from "../panels/parts";
import { table } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState, watch } from "../state";
import { chosenOf } from "../table/chosen";
import { meets } from "../table/open";
import type { Words } from "../types";
import { type BulkOutcome, type Finding, type LayerSchema, readSchema, sendBulk } from "./api";
import { tellWritten } from "./changed";
import { chooseLayer } from "./choose-layer";
import { chosen, idsIn } from "./open";
import { makePropertyField, type PropertyField } from "./property-field";
import { makeReasonField } from "./reason-field";
import { findingWords, notifyEdit } from "./saving";
import { isRequired, ownProperties, sayValue, titleOf } from "./values";

interface SavedQuery {
  id: string;
  title: Words;
  collection: string;
  filter: string | null;
}

const both = (first: string, second: string): string =>
  first && second ? `(${first}) AND ${second}` : first || second;

/** Build the part. */
export function bulkPart(map: MapView): Part {
  const element = h("div");
  let sketching: Sketching | null = null;
  const stop = (): void => {
    sketching?.stop();
    sketching = null;
  };
  const show = (): void => {
    if (getState().tab !== "inventory" || getState().job !== "bulk") return;
    stop();
    replace(element, loading());
    const layer = chosen.get()?.layer || getState().selection?.layer || "drainage_nodes";
    Promise.all([readSchema(layer), request<{ queries: SavedQuery[] }>("/api/queries")]).then(
      ([schema, { queries }]) =>
        replace(
          element,
          bulkForm(
            map,
            layer,
            schema,
            queries.filter((one) => one.collection === layer),
            draw,
          ),
        ),
      (error: unknown) => replace(element, chooser(layer), failure(error, show)),
    );
  };
  const draw = async (done: (geometry: GeoJSON.Geometry) => void): Promise<void> => {
    stop();
    sketching = await startSketch(map, "Polygon", {
      done: (geometry) => {
        done(geometry);
        stop();
      },
    });
  };
  chosen.watch(() => {
    // What the form itself wrote is on the screen already.
    if (!isOwn) show();
  });
  watch(["lang"], show);
  return { element, show, hide: stop };
}

let isOwn = false;

function choose(layer: string, filter: string, own: boolean): void {
  isOwn = own;
  chosen.set({ layer, filter });
  isOwn = false;
}

const chooser = (layer: string): HTMLElement =>
  h(
    "div",
    { class: "field" },
    h("span", { class: "field-label" }, t("work.layer")),
    chooseLayer(t("work.layer"), layer, null, (next) => choose(next, "", false)),
  );

let counter = 0;

function bulkForm(
  map: MapView,
  layer: string,
  schema: LayerSchema,
  queries: readonly SavedQuery[],
  draw: (done: (geometry: GeoJSON.Geometry) => void) => Promise<void>,
): HTMLElement {
  const id = `bulk-${++counter}`;
  const box = h("textarea", { id, class: "input", rows: 3, spellcheck: false, placeholder: t("work.allItems") });
  box.value = chosen.get()?.layer === layer ? chosen.get()!.filter : (filters.get()[layer] ?? "");
  const told = h("div", { "aria-live": "polite" });
  const reason = makeReasonField();
  const holder = h("div");
  const fields: PropertyField[] = [];
  const narrow = (filter: string): void => {
    box.value = filter;
    typed();
  };
  const typed = (): void => {
    choose(layer, box.value.trim(), true);
    replace(told);
  };
  box.addEventListener("input", typed);

  const properties = ownProperties(schema);
  const add = (name: string): void => {
    const property = schema.properties[name];
    if (!property || fields.some((field) => field.name === name)) return;
    const field = makePropertyField(name, property, isRequired(schema, name), "", () => replace(told));
    fields.push(field);
    const row = h(
      "div",
      { class: "bulk-field" },
      field.element,
      textButton(
        t("work.dropProperty"),
        () => {
          fields.splice(fields.indexOf(field), 1);
          row.remove();
          replace(told);
        },
        "button-small",
      ),
    );
    holder.append(row);
    field.focus();
  };
  const adder = select(
    t("work.addProperty"),
    [
      { value: "", label: t("work.addProperty") },
      ...properties.map(([name, one]) => ({ value: name, label: titleOf(one, name) })),
    ],
    "",
    (name) => {
      add(name);
      adder.value = "";
    },
  );
  /** Return the values to set, or null after what is wrong was marked. */
  const readSet = (): Record<string, unknown> | null => {
    if (fields.length === 0) {
      replace(told, empty(t("work.nothingSet")));
      return null;
    }
    const readings = fields.map((field) => [field.name, field.read()] as const);
    const set: Record<string, unknown> = {};
    for (const [name, reading] of readings) if ("value" in reading) set[name] = reading.value;
    return Object.keys(set).length === fields.length ? set : null;
  };
  const send = async (check: boolean): Promise<void> => {
    const set = readSet();
    const why = check ? "" : reason.read();
    if (!set || why === null) return;
    const filter = box.value.trim();
    replace(told, loading(t(check ? "work.previewing" : "work.changingAll")));
    try {
      const body = { collection: layer, ...(filter ? { filter } : {}), set, reason: why };
      const outcome = await sendBulk(body, check);
      if (check)
        replace(
          told,
          preview(schema, outcome, reason.element, () => void send(false)),
        );
      else {
        await tellWritten(map, [layer]);
        const words = t("work.saved", { count: outcome.changed });
        replace(told, empty(words));
        if (outcome.edit) notifyEdit(map, outcome.edit, words);
      }
    } catch (error) {
      const findings = error instanceof ApiError ? error.problem["findings"] : undefined;
      replace(told, Array.isArray(findings) ? refused(findings as Finding[]) : failure(error));
    }
  };
  const ticked = chosenOf(layer);
  const saved = queries.map((query) => ({ value: query.filter ?? "", label: say(query.title, query.id) }));
  return h(
    "div",
    { class: "form" },
    h("p", { class: "soft" }, t("work.bulkHint")),
    chooser(layer),
    h(
      "div",
      { class: "field" },
      h("label", { for: id, class: "field-label" }, t("work.filter")),
      box,
      h(
        "div",
        { class: "row" },
        textButton(
          t("work.drawArea"),
          () =>
            void draw((geometry) => narrow(both(box.value.trim(), meets(geometry)))).catch((error: unknown) =>
              replace(told, empty(explain(error))),
            ),
          "button-small",
        ),
        ticked.size > 0
          ? textButton(t("work.tickedRows", { count: ticked.size }), () => narrow(idsIn([...ticked])), "button-small")
          : null,
        textButton(t("work.clearFilter"), () => narrow(""), "button-small"),
      ),
      saved.length > 0
        ? select(t("work.savedQuery"), [{ value: "", label: t("work.savedQuery") }, ...saved], "", narrow)
        : null,
    ),
    section(t("work.setValues"), holder, adder),
    textButton(t("work.preview"), () => void send(true), "button-primary"),
    told,
  );
}

const SHOWN = 20;

function refused(findings: readonly Finding[]): HTMLElement {
  const wrong = findings.filter(({ standing }) => !standing);
  const line = (one: Finding): HTMLElement =>
    h("li", { class: `finding finding-${one.severity}` }, h("strong", {}, one.feature), " ", findingWords(one));
  return h(
    "div",
    { role: "alert" },
    h("p", {}, t("work.bulkRefused", { count: wrong.length })),
    h("ul", { class: "findings" }, ...wrong.slice(0, SHOWN).map(line)),
  );
}

function preview(schema: LayerSchema, outcome: BulkOutcome, reason: HTMLElement, go: () => void): HTMLElement {
  const { count, changed, samples, findings } = outcome;
  const figures = { count: formatNumber(count, 0), changed: formatNumber(changed, 0) };
  if (changed === 0) return empty(t(count === 0 ? "work.noneChosen" : "work.allSo", figures));
  const names = new Set(samples.flatMap((sample) => Object.keys(sample.properties)));
  // Of one property its name is said once, above.
  const isOne = names.size === 1;
  const rows = samples.flatMap((sample) =>
    Object.entries(sample.properties).map(([name, { old, new: now }]) => {
      const property = schema.properties[name];
      const values = [sayValue(property, old), sayValue(property, now)];
      return isOne ? [sample.id, ...values] : [sample.id, titleOf(property, name), ...values];
    }),
  );
  const headings = [t("work.item"), ...(isOne ? [] : [t("work.property")]), t("work.before"), t("work.after")];
  const warnings = findings.filter(({ standing }) => !standing);
  return section(
    t("work.previewTitle"),
    h("p", {}, t("work.previewWords", figures)),
    table(headings, rows),
    changed > samples.length
      ? h("p", { class: "soft" }, t("work.moreChanges", { count: formatNumber(changed - samples.length, 0) }))
      : null,
    warnings.length > 0
      ? h(
          "ul",
          { class: "findings" },
          ...warnings
            .slice(0, SHOWN)
            .map((one) =>
              h("li", { class: "finding finding-warning" }, h("strong", {}, one.feature), " ", findingWords(one)),
            ),
        )
      : null,
    reason,
    textButton(t("work.changeAll", figures), go, "button-primary"),
  );
}
