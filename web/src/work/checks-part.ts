/** Checks: what the rules find wrong, by rule; each finding on the map, with an edit or a work order begun from it. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { say, t } from "../i18n";
import { drawNetwork } from "../map/network";
import { zoomToBounds } from "../map/pick";
import { empty, failure, loading, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { makeSlice } from "../slices";
import { getState, setState, watch } from "../state";
import { type Check, type Finding, readChecks } from "./api";
import { chooseLayer } from "./choose-layer";
import { openEditor, openNewOrder } from "./open";
import { findingWords } from "./saving";

const SHOWN = 20;
const MOST = "200";
const NEAR = 0.0008;
const COLORS = { error: "#b42323", warning: "#a8690f" };

const checked = makeSlice<string>(
  "checked",
  (text) => text ?? "",
  (layer) => layer || null,
);

/** Build the part. */
export function checksPart(map: MapView): Part {
  const element = h("div");
  let asked = 0;
  const list = h("div", { "aria-live": "polite" });

  const ask = async (): Promise<void> => {
    const ticket = ++asked;
    const layer = checked.get();
    replace(list, loading(t("work.checking")));
    try {
      const query: Record<string, string> = { limit: MOST };
      if (layer) query["collection"] = layer;
      if (!whole.checked)
        query["bbox"] = map
          .getBounds()
          .toArray()
          .flat()
          .map((one) => one.toFixed(6))
          .join();
      const report = await readChecks(query);
      if (ticket !== asked) return;
      drawFindings(map, report.checks);
      replace(
        list,
        h(
          "p",
          {},
          t("work.checkWords", {
            rules: formatNumber(report.rules, 0),
            errors: formatNumber(report.errors, 0),
            warnings: formatNumber(report.warnings, 0),
          }),
        ),
        report.checks.length === 0 ? empty(t("work.allGood")) : null,
        ...report.checks.map((check) => checkPart(map, check)),
      );
    } catch (error) {
      if (ticket !== asked) return;
      replace(
        list,
        failure(error, () => void ask()),
      );
    }
  };
  const whole = h("input", { type: "checkbox", checked: true, onchange: () => void ask() });
  const show = (): void => {
    if (getState().tab !== "inventory" || getState().job !== "checks") return;
    replace(
      element,
      h("p", { class: "soft" }, t("work.checksHint")),
      chooseLayer(t("work.layer"), checked.get(), t("work.allLayers"), (layer) => checked.set(layer)),
      h("label", { class: "option" }, whole, h("span", {}, t("work.wholeCity"))),
      list,
    );
    void ask();
  };
  checked.watch(() => void ask());
  watch(["lang"], show);
  return { element, show };
}

function drawFindings(map: MapView, checks: readonly Check[]): void {
  const features = checks
    .flatMap(({ findings }) => findings)
    .flatMap((finding): GeoJSON.Feature[] =>
      finding.place
        ? [
            {
              type: "Feature",
              geometry: { type: "Point", coordinates: finding.place },
              properties: {
                color: COLORS[finding.severity],
                size: 7,
                layer_id: finding.collection,
                item_id: finding.feature,
              },
            },
          ]
        : [],
    );
  drawNetwork(map, { features, tiles: [] });
}

function checkPart(map: MapView, check: Check): HTMLElement {
  const list = h("ul", { class: "edits" });
  const more = h("div");
  let shown = 0;
  const grow = (): void => {
    list.append(...check.findings.slice(shown, shown + SHOWN).map((one) => h("li", {}, findingPart(map, one, check))));
    shown += SHOWN;
    const left = check.findings.length > shown;
    replace(
      more,
      left ? textButton(t("work.moreRows"), grow, "button-small button-wide") : null,
      !left && check.count > check.findings.length
        ? h(
            "p",
            { class: "soft" },
            t("work.moreFindings", { count: formatNumber(check.count - check.findings.length, 0) }),
          )
        : null,
    );
  };
  const details = h(
    "details",
    {
      class: "edit",
      "data-rule": `${check.rule}/${check.collection}`,
      ontoggle: () => {
        if (details.open && shown === 0) grow();
      },
    },
    h(
      "summary",
      {},
      h("span", { class: "edit-title" }, say(check.title)),
      h(
        "span",
        { class: `badge badge-${check.severity}` },
        `${t(`work.severity_${check.severity}`)}: ${formatNumber(check.count, 0)}`,
      ),
    ),
    list,
    more,
  );
  return details;
}

function findingPart(map: MapView, finding: Finding, check: Check): HTMLElement {
  const { place, collection, feature } = finding;
  const zoom = (): void => {
    if (place) zoomToBounds(map, [place[0] - NEAR, place[1] - NEAR, place[0] + NEAR, place[1] + NEAR]);
    setState({ place: null, selection: { layer: collection, id: feature } });
  };
  const order = (): void =>
    openNewOrder(collection, feature, {
      origin: "report",
      title: `${say(findVectorLayer(collection)?.title, collection)} ${feature}: ${say(check.title)}`.slice(0, 200),
      description: findingWords(finding),
      ...(place ? { position: { lon: place[0], lat: place[1] } } : {}),
    });
  return h(
    "div",
    { class: "finding-row" },
    h("button", { type: "button", class: "link-button", onclick: zoom }, feature),
    h("p", {}, findingWords(finding)),
    h(
      "div",
      { class: "row" },
      textButton(t("work.edit"), () => openEditor(collection, feature), "button-small"),
      textButton(t("card.order"), order, "button-small"),
    ),
  );
}
