/** Where a layer comes from, how fresh it is, who may see it, how others read it, what the rules find wrong with it. */

import { fill, readInternal } from "../card/internal";
import { getCity, isEmpty } from "../data";
import { type Child, h, replace } from "../dom";
import { formatDateTime, formatNumber } from "../format";
import { type Key, say, t } from "../i18n";
import { filterOf } from "../map/tile-query";
import { empty, syntheticBadge, textButton } from "../panels/parts";
import type { Layer, Source, VectorLayer, Words } from "../types";

interface Checks {
  rules: number;
  errors: number;
  warnings: number;
  checks: { rule: string; severity: "error" | "warning"; title: Words; count: number }[];
}

function sourceLine(source: Source): HTMLElement {
  return h(
    "li",
    {},
    h("span", { class: "source-title" }, say(source.title), source.synthetic ? syntheticBadge() : null),
    h("span", { class: "soft" }, `${t("layers.licence")}: ${source.licence || "–"}`),
    source.attribution ? h("span", { class: "soft" }, source.attribution) : null,
    source.loaded ? h("span", { class: "soft" }, t("tree.loaded", { time: formatDateTime(source.loaded) })) : null,
  );
}

const row = (name: string, value: Child): HTMLElement =>
  h("div", { class: "property" }, h("dt", {}, name), h("dd", {}, value));

function facts(layer: Layer): HTMLElement {
  const vector = layer.kind === "vector" ? layer : null;
  const loaded = layer.sources.flatMap(({ loaded }) => loaded ?? []).sort();
  return h(
    "dl",
    { class: "properties" },
    row(t("tree.id"), h("code", {}, layer.id)),
    vector ? row(t("tree.items"), formatNumber(vector.count, 0)) : null,
    row(t("tree.kind"), t(`tree.kind_${vector?.geometry ?? "Raster"}` as Key)),
    row(t("tree.crs"), getCity().crs),
    row(t("tree.access"), t(`tree.access_${layer.access}` as Key)),
    row(t("tree.lastLoad"), loaded.length > 0 ? formatDateTime(loaded.at(-1)) : "–"),
    vector ? row(t("tree.lastEdit"), vector.edited ? formatDateTime(vector.edited) : t("tree.neverEdited")) : null,
  );
}

/** Return the addresses at which others read a layer: as a page, as files, as map. */
function linksOf(layer: Layer): [string, string][] {
  const items = `/api/collections/${layer.id}/items`;
  const map = `/wms?service=WMS&version=1.3.0&request=GetCapabilities`;
  if (layer.kind === "raster") {
    const id = layer.raster_id;
    const files: [string, string][] = id
      ? [
          ["GeoTIFF", `/tiles/raster/${id}.tif`],
          ["TileJSON", `/tiles/raster/${id}.json`],
        ]
      : [];
    return [...files, ["WMS", map]];
  }
  const filter = filterOf(layer);
  const file = (format: string): string =>
    `${items}?${new URLSearchParams({ ...(filter ? { filter } : {}), f: format })}`;
  return [
    [t("tree.apiPage"), `/api/collections/${layer.id}?f=html`],
    ["GeoJSON", file("json")],
    ["GeoPackage", file("gpkg")],
    ["CSV", file("csv")],
    ["FlatGeobuf", file("fgb")],
    ["TileJSON", `/tiles/${layer.id}.json`],
    ["WMS", map],
    [t("tree.schema"), `/api/collections/${layer.id}/schema`],
  ];
}

function links(layer: Layer): HTMLElement {
  const link = ([words, href]: [string, string]): HTMLElement =>
    h("li", {}, h("a", { href, target: "_blank", rel: "noopener" }, words));
  return h("ul", { class: "link-list", "aria-label": t("tree.links") }, ...linksOf(layer).map(link));
}

function checkList({ errors, warnings, rules, checks }: Checks): HTMLElement {
  const said = t("tree.checked", {
    rules: formatNumber(rules, 0),
    errors: formatNumber(errors, 0),
    warnings: formatNumber(warnings, 0),
  });
  const line = ({ title, count, severity }: Checks["checks"][number]): HTMLElement =>
    h("li", { class: `check-${severity}` }, `${say(title)}: ${formatNumber(count, 0)}`);
  return h(
    "div",
    {},
    h("p", {}, rules === 0 ? t("tree.noRules") : said),
    h("ul", { class: "check-list" }, ...checks.map(line)),
  );
}

/** The rules look at the whole collection: that is done when somebody asks. */
function quality(layer: VectorLayer): HTMLElement {
  const holder = h("div", { "aria-live": "polite" });
  const path = `/api/checks?${new URLSearchParams({ collection: layer.id })}`;
  const check = (): void => void fill(holder, () => readInternal<Checks>(path), checkList);
  replace(holder, textButton(t("tree.check"), check, "button-small"));
  return holder;
}

const titled = (title: string, content: HTMLElement): HTMLElement =>
  h("section", {}, h("h4", { class: "part-title" }, title), content);

/** Build the part. */
export function metadataPart(layer: Layer): HTMLElement {
  const sources =
    layer.sources.length > 0
      ? h("ul", { class: "sources" }, ...layer.sources.map(sourceLine))
      : empty(t("tree.noSource"));
  return h(
    "div",
    { class: "metadata" },
    facts(layer),
    titled(t("tree.sources"), sources),
    titled(t("tree.links"), links(layer)),
    layer.kind === "vector" && !isEmpty(layer) ? titled(t("tree.quality"), quality(layer)) : null,
  );
}
