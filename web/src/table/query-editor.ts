/** The conditions of a query as a form: rows, groups, other layers, places. */

import type { Map as MapView } from "maplibre-gl";
import { readItems } from "../api";
import { findVectorLayer } from "../data";
import { type Child, h, replace } from "../dom";
import { explain, say, t } from "../i18n";
import { type Sketching, startSketch } from "../map/sketch";
import { answer } from "../networks/asking";
import { notify } from "../panels/notice";
import { type Choice, iconButton, select, textButton } from "../panels/parts";
import { layerChoice } from "./layer-choice";
import { writeShape } from "./open";
import { type Command, openMenu } from "./popup";
import { newTest, testFields } from "./test-fields";
import { type Group, type Join, newGroup, newJoin, type Part } from "./tree";
import { propertiesOf } from "./view";

const MOST_AREAS = 500;
const DEEPEST = 4;

export interface EditorAsks {
  map: MapView;
  /** Functions that the server has. */
  functions: () => ReadonlySet<string>;
  /** The conditions are others now; `anew` where the form has other fields. */
  change: (next: Group, anew: boolean) => void;
}

const areas = new Map<string, Promise<Choice[]>>();

/** Return the areas of a layer by name. */
function readAreas(layer: string): Promise<Choice[]> {
  const known = areas.get(layer);
  if (known) return known;
  const read = readItems(layer, { limit: String(MOST_AREAS), skipGeometry: "true" }).then(({ features }) =>
    features
      .map((item) => ({ value: item.id, label: String(item.properties["name"] ?? item.id) }))
      .sort((a, b) => a.label.localeCompare(b.label, "vi")),
  );
  read.catch(() => areas.delete(layer));
  areas.set(layer, read);
  return read;
}

let drawing: Sketching | null = null;

/** End a drawing that nobody finished. */
export function endDrawing(): void {
  drawing?.stop();
  drawing = null;
}

function notChoice(not: boolean, change: (not: boolean) => void): HTMLElement {
  const choices = [
    { value: "", label: t("query.is") },
    { value: "not", label: t("query.isNot") },
  ];
  return select(t("query.sense"), choices, not ? "not" : "", (value) => change(value === "not"));
}

/** Build the form of a group of conditions on a layer. */
export function groupForm(group: Group, layer: string, asks: EditorAsks, depth = 0): HTMLElement {
  let now = group;
  const put = (next: Group, anew: boolean): void => {
    now = next;
    asks.change(next, anew);
  };
  const putPart = (at: number, part: Part, anew = false): void =>
    put({ ...now, parts: now.parts.with(at, part) }, anew);
  const remove = (at: number): void => put({ ...now, parts: now.parts.toSpliced(at, 1) }, true);
  const add = (part: Part): void => put({ ...now, parts: [...now.parts, part] }, true);

  const any = select(
    t("query.combine"),
    [
      { value: "all", label: t("query.all") },
      { value: "any", label: t("query.any") },
    ],
    group.any ? "any" : "all",
    (value) => put({ ...now, any: value === "any" }, false),
  );
  const rows = group.parts.map((part, at) =>
    partRow(
      part,
      layer,
      asks,
      depth,
      (next, anew) => putPart(at, next, anew),
      () => remove(at),
    ),
  );
  const opener = textButton(
    t("query.add"),
    (event) => openMenu(event.currentTarget as Element, t("query.add"), additions(layer, asks, depth, add)),
    "button-small query-add",
    "plus",
  );
  opener.setAttribute("aria-haspopup", "menu");
  return h(
    "div",
    { class: depth > 0 ? "query-group query-inner" : "query-group" },
    group.parts.length > 1 || group.any ? h("div", { class: "query-combine" }, any) : null,
    ...rows,
    opener,
  );
}

/** What can be added to a group. */
function additions(layer: string, asks: EditorAsks, depth: number, add: (part: Part) => void): Command[] {
  const has = asks.functions();
  const property = propertiesOf(layer)[1] ?? propertiesOf(layer)[0]!;
  const shape = (kind: "Polygon" | "Circle"): void => {
    endDrawing();
    notify(t(kind === "Circle" ? "query.drawCircle" : "query.drawHint"));
    startSketch(asks.map, kind, {
      done: (geometry) => {
        endDrawing();
        add({ kind: "shape", not: false, words: writeShape(geometry) });
      },
    }).then(
      (started) => {
        drawing = started;
      },
      (error: unknown) => notify(explain(error)),
    );
  };
  const view = (): void => {
    const bounds = asks.map.getBounds();
    const sides = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    add({ kind: "shape", not: false, words: `BBOX(${sides.map((side) => side.toFixed(5)).join(", ")})` });
  };
  const commands: (Command | false)[] = [
    { label: t("query.addTest"), run: () => add({ kind: "test", test: newTest(property) }) },
    has.has("near") && depth < DEEPEST && { label: t("query.addNear"), run: () => add(newJoin("near", "")) },
    has.has("inside") && depth < DEEPEST && { label: t("query.addInside"), run: () => add(newJoin("inside", "")) },
    has.has("inside") &&
      Boolean(findVectorLayer("wards")?.count) && {
        label: t("query.addWard"),
        run: () => add({ kind: "area", not: false, layer: "wards", id: "" }),
      },
    { label: t("query.addShape"), run: () => shape("Polygon") },
    { label: t("query.addCircle"), run: () => shape("Circle") },
    { label: t("query.addView"), run: view },
    has.has("in_trace") && {
      label: t("query.addTrace"),
      run: () => add({ kind: "trace", not: false, id: answer?.figures.id ?? "" }),
    },
    has.has("related") && depth < DEEPEST && { label: t("query.addRelated"), run: () => add(newJoin("related", "")) },
    depth < DEEPEST && { label: t("query.addGroup"), run: () => add(newGroup([], true)) },
  ];
  return commands.filter((command) => command !== false);
}

type PutPart = (part: Part, anew?: boolean) => void;

function partRow(
  part: Part,
  layer: string,
  asks: EditorAsks,
  depth: number,
  put: PutPart,
  remove: () => void,
): HTMLElement {
  const row = (kind: string, head: Child[], ...more: Child[]): HTMLElement =>
    h(
      "div",
      { class: `query-row query-${kind}`, role: "group", "aria-label": t(`query.part_${part.kind}`) },
      h(
        "div",
        { class: "query-head" },
        ...head,
        iconButton("close", t("query.remove"), remove, "icon-button-quiet query-remove"),
      ),
      ...more,
    );
  switch (part.kind) {
    case "test":
      return testRow(part, layer, put, row);
    case "group":
      return row(
        "nested",
        [notChoice(part.not, (not) => put({ ...part, not }))],
        groupForm(part, layer, { ...asks, change: (next, anew) => put({ ...next, not: part.not }, anew) }, depth + 1),
      );
    case "area":
      return areaRow(part, put, row);
    case "shape": {
      const isView = part.words.startsWith("BBOX");
      return row("shape", [
        notChoice(part.not, (not) => put({ ...part, not })),
        h("span", {}, t(isView ? "query.inBox" : "query.inShape")),
      ]);
    }
    case "trace": {
      const box = h("input", {
        class: "input",
        "aria-label": t("query.traceId"),
        placeholder: t("query.traceId"),
        oninput: (event) => put({ ...part, id: (event.target as HTMLInputElement).value }),
      });
      box.value = part.id;
      return row(
        "trace",
        [notChoice(part.not, (not) => put({ ...part, not }, true)), h("span", {}, t("query.inTrace"))],
        box,
      );
    }
    case "raw":
      return row("raw", [h("span", {}, t("query.raw"))], h("code", { class: "query-code" }, part.text));
    default:
      return joinRow(part, layer, asks, depth, put, row);
  }
}

type MakeRow = (kind: string, head: Child[], ...more: Child[]) => HTMLElement;

function testRow(part: Extract<Part, { kind: "test" }>, layer: string, put: PutPart, row: MakeRow): HTMLElement {
  const properties = propertiesOf(layer);
  const property = properties.find(({ name }) => name === part.test.name) ?? properties[0]!;
  const choices = properties.map((one) => ({ value: one.name, label: say(one.title) }));
  const chooser = select(t("query.property"), choices, property.name, (name) => {
    const next = properties.find((one) => one.name === name)!;
    put({ kind: "test", test: newTest(next) }, true);
  });
  return row(
    "test",
    [chooser],
    testFields(part.test, property, (test) => put({ kind: "test", test })),
  );
}

function areaRow(part: Extract<Part, { kind: "area" }>, put: PutPart, row: MakeRow): HTMLElement {
  const holder = h("div", {}, t("card.loading"));
  const title = say(findVectorLayer(part.layer)?.title, part.layer);
  readAreas(part.layer).then(
    (choices) => {
      const all = part.id ? choices : [{ value: "", label: t("query.chooseArea") }, ...choices];
      replace(
        holder,
        select(title, all, part.id, (id) => put({ ...part, id })),
      );
    },
    (error: unknown) => replace(holder, explain(error)),
  );
  return row(
    "area",
    [notChoice(part.not, (not) => put({ ...part, not }, true)), h("span", {}, t("query.inArea", { layer: title }))],
    holder,
  );
}

function joinRow(part: Join, layer: string, asks: EditorAsks, depth: number, put: PutPart, row: MakeRow): HTMLElement {
  let now = part;
  const change = (next: Partial<Join>, anew = false): void => {
    now = { ...now, ...next };
    put(now, anew);
  };
  const fits = part.kind === "inside" ? (other: { geometry: string }) => other.geometry === "MultiPolygon" : () => true;
  const chooser = layerChoice(
    t("query.otherLayer"),
    part.layer,
    (other) => change({ layer: other, where: newGroup(), theirs: "id" }, true),
    fits,
  );
  const own = (name: "own" | "theirs", of: string): HTMLElement =>
    select(
      t(`query.${name}`),
      propertiesOf(of).map((one) => ({ value: one.name, label: say(one.title) })),
      part[name],
      (value) => change({ [name]: value }),
    );
  const metres = h("input", {
    class: "input query-metres",
    inputmode: "decimal",
    "aria-label": t("query.metres"),
    oninput: (event) => change({ metres: (event.target as HTMLInputElement).value }),
  });
  metres.value = part.metres;
  const how: Record<Join["kind"], Child[]> = {
    near: [h("span", {}, t("query.within")), metres, h("span", {}, t("query.metresOf"))],
    inside: [h("span", {}, t("query.inside"))],
    related: [h("span", {}, t("query.related"))],
  };
  return row(
    part.kind,
    [notChoice(part.not, (not) => change({ not }))],
    h("div", { class: "query-how" }, ...how[part.kind], chooser),
    part.kind === "related" && part.layer
      ? h("div", { class: "query-how" }, own("own", layer), h("span", {}, "="), own("theirs", part.layer))
      : null,
    part.layer
      ? groupForm(part.where, part.layer, { ...asks, change: (where, anew) => change({ where }, anew) }, depth + 1)
      : null,
  );
}
