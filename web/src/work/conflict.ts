/** Somebody else was faster: both versions side by side, and which value is to stay. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { textButton } from "../panels/parts";
import type { LayerSchema, Version } from "./api";
import type { Draft } from "./drafts";
import { sayValue, titleOf, writeText } from "./values";

interface Point {
  name: string;
  title: string;
  theirs: string;
  mine: string;
}

/** Return what both changed, otherwise than each other. */
function findPoints(draft: Draft, now: Version, schema: LayerSchema): Point[] {
  const points: Point[] = [];
  for (const [name, text] of Object.entries(draft.texts)) {
    const property = schema.properties[name];
    if (!property) continue;
    const [before, value] = [draft.before?.properties[name], now.item.properties[name]];
    if (before === value || writeText(property, value) === text) continue;
    points.push({
      name,
      title: titleOf(property, name),
      theirs: sayValue(property, value),
      mine: property["x-codes"] ? sayValue(property, text) : text || "–",
    });
  }
  return points;
}

const isMoved = (draft: Draft, now: Version): boolean =>
  draft.geometry !== null && JSON.stringify(draft.before?.geometry) !== JSON.stringify(now.item.geometry);

/** Build the choice; `resolve` gets the draft on the version that is there now. */
export function conflictPart(
  draft: Draft,
  now: Version,
  schema: LayerSchema,
  resolve: (draft: Draft) => void,
): HTMLElement {
  const points = findPoints(draft, now, schema);
  if (isMoved(draft, now))
    points.push({ name: "geometry", title: t("work.place"), theirs: t("work.theirPlace"), mine: t("work.myPlace") });
  const choice = (point: Point, side: "theirs" | "mine"): HTMLElement =>
    h(
      "label",
      { class: "option" },
      h("input", { type: "radio", name: `conflict-${point.name}`, value: side, checked: side === "mine" }),
      h("span", {}, `${t(`work.side_${side}`)}: ${point[side]}`),
    );
  const form = h("form", {
    class: "conflict",
    role: "alert",
    onsubmit: (event) => {
      event.preventDefault();
      const chosen = new FormData(form);
      const theirs = points.filter(({ name }) => chosen.get(`conflict-${name}`) === "theirs").map(({ name }) => name);
      const texts = Object.fromEntries(Object.entries(draft.texts).filter(([name]) => !theirs.includes(name)));
      const geometry = theirs.includes("geometry") ? null : draft.geometry;
      resolve({ ...draft, texts, geometry, before: now.item, etag: now.etag });
    },
  });
  replace(
    form,
    h("p", {}, points.length > 0 ? t("work.conflict") : t("work.conflictApart")),
    ...points.map((point) =>
      h(
        "fieldset",
        { class: "conflict-point" },
        h("legend", { class: "field-label" }, point.title),
        choice(point, "theirs"),
        choice(point, "mine"),
      ),
    ),
    h("button", { type: "submit", class: "button button-small button-primary" }, t("work.resolve")),
    textButton(
      t("work.takeTheirs"),
      () => resolve({ ...draft, texts: {}, geometry: null, before: now.item, etag: now.etag }),
      "button-small",
    ),
  );
  return form;
}
