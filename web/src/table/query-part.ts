/** Asking the inventory: conditions as a form and as text, how many there are, where they lie, as a table. */

import "../styles/table.css";
import type { Map as MapView } from "maplibre-gl";
import { ApiError } from "../api";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { explain, say, t } from "../i18n";
import { filters, setLayerFilter } from "../map/tile-query";
import { notify } from "../panels/notice";
import { section } from "../panels/parts";
import type { Part as PanelPart } from "../panels/tools";
import { getState, toggleLayer, watch } from "../state";
import { readAggregate } from "./api";
import { layerChoice } from "./layer-choice";
import { drawAreas, drawFound } from "./on-map";
import { changeQuery, query, readFunctions, readSaved } from "./query";
import { endDrawing, groupForm } from "./query-editor";
import { exampleList, makeOptions, queryButtons } from "./query-pieces";
import { savedQueries } from "./query-saved";
import { shapesOf } from "./shape-read";
import { type Group, newGroup, writeQuery } from "./tree";
import { readQuery } from "./tree-read";

const TYPING_MS = 450;

/** Return where the server stopped reading a filter, -1 where it does not say. */
const placeOf = (message: string): number => Number(/ at character (\d+)/.exec(message)?.[1] ?? 0) - 1;

/** Build the part. */
export function queryPart(map: MapView): PanelPart {
  const layerHolder = h("div");
  const form = h("div", { class: "query-form" });
  const count = h("p", { class: "query-count", role: "status" });
  const problem = h("p", { class: "field-error", role: "alert", id: "query-problem" });
  const buttons = h("div", { class: "query-buttons" });
  const options = makeOptions();
  const saved = savedQueries();
  const text = h("textarea", {
    class: "input query-text",
    rows: 4,
    spellcheck: "false",
    "aria-describedby": "query-problem",
  });
  const headings = h("div", { class: "query-part" });
  let tree: Group = newGroup();
  /** The text that the tree stands for. */
  let written = "";
  let treeLayer = "";
  let functions: ReadonlySet<string> = new Set();
  let request = new AbortController();
  let typing = 0;
  let isOpen = false;
  let alone: { layer: string; before: string | null } | null = null;
  let counted = "";

  const isAsked = (): boolean => findVectorLayer(query.get().layer) !== undefined;
  const setText = (value: string): void => {
    if (document.activeElement !== text && text.value !== value) text.value = value;
  };
  const takeTree = (next: Group, anew: boolean): void => {
    tree = next;
    written = writeQuery(next, query.get().layer);
    text.value = written;
    if (anew) showForm();
    changeQuery({ filter: written });
  };
  const showForm = (): void => {
    if (!isAsked()) {
      replace(form, h("p", { class: "soft" }, t("query.start")));
      return;
    }
    const buttonsBefore = form.querySelectorAll(".query-row").length;
    replace(form, groupForm(tree, query.get().layer, { map, functions: () => functions, change: takeTree }));
    // What was just added is what one goes on with.
    const rows = form.querySelectorAll<HTMLElement>(".query-row");
    if (rows.length > buttonsBefore && buttonsBefore > 0)
      rows[rows.length - 1]?.querySelector<HTMLElement>("select, input")?.focus();
  };
  const draw = (): void => {
    const { layer, filter, at, draw: how } = query.get();
    const asked = isOpen && isAsked() && problem.textContent === "" && filter !== "";
    drawFound(map, "query", asked && how === "mark" ? { layer, filter, at } : null);
    drawAreas(map, isOpen && isAsked() ? shapesOf(tree) : []);
    const next = asked && how === "alone" ? layer : null;
    if (alone && alone.layer !== next) {
      setLayerFilter(map, alone.layer, alone.before);
      alone = null;
    }
    if (!next) return;
    // The person's own filter comes back when the query goes.
    const before = filters.get()[next] ?? null;
    alone ??= { layer: next, before: before === filter ? null : before };
    if (!getState().layers.has(next)) toggleLayer(next, true);
    if (before !== filter) setLayerFilter(map, next, filter);
  };
  const showProblem = (error: unknown): void => {
    problem.textContent = explain(error);
    text.setAttribute("aria-invalid", "true");
    const at = error instanceof ApiError ? placeOf(error.message) : -1;
    if (at >= 0 && document.activeElement === text) text.setSelectionRange(at, at);
  };
  const ask = async (): Promise<void> => {
    const { layer, filter, at } = query.get();
    const key = JSON.stringify([layer, filter, at]);
    if (key === counted) {
      draw();
      return;
    }
    counted = key;
    request.abort();
    request = new AbortController();
    const { signal } = request;
    if (!isAsked()) {
      replace(count);
      draw();
      return;
    }
    replace(count, t("table.counting"));
    try {
      const chosen = { ...(filter ? { filter } : {}), ...(at ? { datetime: at } : {}) };
      const shape = findVectorLayer(layer)?.geometry;
      const size = shape === "LineString" ? ["length"] : shape === "MultiPolygon" ? ["area"] : [];
      const { total } = await readAggregate(layer, chosen, [], ["count", ...size], signal);
      if (signal.aborted) return;
      problem.textContent = "";
      text.removeAttribute("aria-invalid");
      const words = t("query.found", {
        count: formatNumber(Number(total["count"]), 0),
        layer: say(findVectorLayer(layer)?.title, layer),
      });
      replace(count, h("strong", {}, words));
    } catch (error) {
      if (signal.aborted) return;
      counted = "";
      replace(count, t("query.notRead"));
      showProblem(error);
    }
    draw();
    for (const button of buttons.querySelectorAll("button")) button.disabled = problem.textContent !== "";
  };
  const showFrame = (): void => {
    const { layer } = query.get();
    const chosen = isAsked() ? layer : "";
    replace(
      layerHolder,
      h(
        "label",
        { class: "field" },
        h("span", { class: "field-label" }, t("query.layer")),
        layerChoice(t("query.layer"), chosen, (next) => changeQuery({ layer: next, filter: "", saved: null })),
      ),
    );
    replace(buttons, ...queryButtons(map, saved.save));
    options.build();
    text.setAttribute("aria-label", t("query.text"));
    const body = h(
      "div",
      { hidden: !isAsked(), class: "query-body" },
      form,
      count,
      problem,
      buttons,
      options.element,
      h(
        "details",
        { class: "more" },
        h("summary", {}, t("query.text")),
        text,
        h("p", { class: "soft" }, t("query.textHint")),
      ),
    );
    const details = headings.querySelector("details")?.open ?? false;
    const hadFocus = headings.contains(document.activeElement);
    replace(
      headings,
      layerHolder,
      body,
      section(t("query.examples"), exampleList()),
      section(t("query.saved"), saved.element),
    );
    const shown = headings.querySelector("details");
    if (shown) shown.open = details;
    if (hadFocus && !headings.contains(document.activeElement)) layerHolder.querySelector("select")?.focus();
  };
  /** Read a kept query that only its name is known of. */
  const fetchSaved = async (): Promise<void> => {
    const { layer, saved: id } = query.get();
    if (layer || !id) return;
    try {
      const { collection, filter } = await readSaved(id);
      changeQuery({ layer: collection, filter: filter ?? "" });
    } catch (error) {
      notify(explain(error));
    }
  };
  let framed = "";
  const update = (): void => {
    const { layer, filter } = query.get();
    const key = `${layer}|${getState().lang}`;
    if (key !== framed) {
      framed = key;
      showFrame();
    }
    if (layer !== treeLayer || filter !== written || key !== `${treeLayer}|${getState().lang}`) {
      tree = readQuery(filter);
      written = filter;
      treeLayer = layer;
      showForm();
    }
    setText(filter);
    options.show();
    saved.update();
    clearTimeout(typing);
    typing = window.setTimeout(() => void ask(), TYPING_MS);
  };
  text.addEventListener("input", () => changeQuery({ filter: text.value.trim() }));

  query.watch(update);
  watch(["lang"], () => {
    treeLayer = "";
    counted = "";
    update();
    saved.show();
  });
  readFunctions().then(
    (found) => {
      functions = found;
    },
    (error: unknown) => console.warn("functions:", error),
  );
  return {
    element: headings,
    show: () => {
      isOpen = true;
      update();
      saved.show();
      void fetchSaved();
    },
    hide: () => {
      isOpen = false;
      endDrawing();
      draw();
    },
  };
}
