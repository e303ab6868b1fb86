/** Measuring: a distance with its parts, an area with its perimeter, along geodesics. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { formatFixed, formatNumber } from "../format";
import { explain, t } from "../i18n";
import { type Drawing, startSketch } from "../map/sketch";
import { notify } from "../panels/notice";
import { loading, textButton } from "../panels/parts";
import { drawing, placesOf } from "./drawing";
import { ringArea, segments } from "./geodesic";
import { showMeasured } from "./overlay";
import { makeTyping } from "./typing";
import { openWindow } from "./window";

type Kind = "LineString" | "Polygon";

const KINDS: readonly Kind[] = ["LineString", "Polygon"];
const MEASURED_COLOR = 0;

const sum = (values: readonly number[]): number => values.reduce((whole, value) => whole + value, 0);

/** Write a length as surveyors do: centimetres up to a kilometre. */
const sayLength = (metres: number): string =>
  metres >= 1000 ? `${formatFixed(metres / 1000, 3)} km` : `${formatFixed(metres, 2)} m`;

const sayArea = (squareMetres: number): string =>
  squareMetres >= 1e6
    ? `${formatFixed(squareMetres / 1e6, 3)} km²`
    : squareMetres >= 1e4
      ? `${formatFixed(squareMetres / 1e4, 3)} ha · ${formatNumber(squareMetres, 0)} m²`
      : `${formatFixed(squareMetres, 1)} m²`;

/** Return the places that were set, without the one that still follows the pointer twice over. */
function distinct(places: readonly [number, number][]): [number, number][] {
  return places.filter(([lon, lat], index) => {
    const before = places[index - 1];
    return !before || before[0] !== lon || before[1] !== lat;
  });
}

/** Open the window; the drawing begins at once. */
export function openMeasure(map: MapView): void {
  let kind: Kind = "LineString";
  let sketch: Drawing | null = null;
  let places: [number, number][] = [];
  let finished = false;
  let gone = false;
  const result = h("div", { class: "measured" });
  const said = h("p", { class: "sr-only", role: "status" });
  const buttons = h("div", { class: "row" });

  const figures = (): { main: string; parts: number[]; second: string | null } => {
    const line = distinct(places);
    if (kind === "LineString") return { main: sayLength(sum(segments(line))), parts: segments(line), second: null };
    const parts = line.length > 2 ? segments([...line, line[0] ?? [0, 0]]) : segments(line);
    return { main: sayArea(line.length > 2 ? ringArea(line) : 0), parts, second: sayLength(sum(parts)) };
  };
  const drawResult = (): void => {
    const { main, parts, second } = figures();
    replace(
      result,
      h("p", { class: "measured-main" }, h("span", { class: "soft" }, t(`measure.${kind}`)), h("strong", {}, main)),
      second ? h("p", {}, h("span", { class: "soft" }, t("measure.perimeter")), " ", h("strong", {}, second)) : null,
      parts.length > 0
        ? h(
            "ol",
            { class: "measured-parts", "aria-label": t("measure.parts"), tabindex: 0 },
            ...parts.map((part) => h("li", {}, sayLength(part))),
          )
        : null,
    );
  };
  const sayAloud = (): void => {
    const { main, second } = figures();
    said.textContent = `${t(`measure.${kind}`)}: ${main}${second ? `; ${t("measure.perimeter")}: ${second}` : ""}`;
  };
  const finish = (geometry: GeoJSON.Geometry): void => {
    places = placesOf(geometry);
    finished = true;
    const { main } = figures();
    sketch?.stop();
    showMeasured(map, { kind, name: main, color: MEASURED_COLOR, places });
    drawResult();
    drawButtons();
    sayAloud();
  };
  const begin = async (): Promise<void> => {
    sketch?.stop();
    showMeasured(map, null);
    places = [];
    finished = false;
    drawResult();
    replace(buttons, loading(t("draw.starting")));
    const drawn = kind;
    try {
      const started = await startSketch(map, drawn, {
        change: (geometry) => {
          if (finished) return;
          const before = distinct(places).length;
          places = placesOf(geometry);
          drawResult();
          if (distinct(places).length !== before) sayAloud();
        },
        done: finish,
        ended: () => {
          if (sketch === started) sketch = null;
          if (!gone) drawButtons();
        },
      });
      if (gone || kind !== drawn) {
        started.stop();
        return;
      }
      sketch = started;
      drawButtons();
    } catch (error) {
      replace(buttons, h("p", { class: "field-error", role: "alert" }, explain(error)));
    }
  };
  const keep = (): void => {
    drawing.set([...drawing.get(), { kind, name: figures().main, color: MEASURED_COLOR, places }]);
    showMeasured(map, null);
    notify(t("measure.kept"));
    void begin();
  };
  const drawButtons = (): void => {
    if (sketch)
      replace(
        buttons,
        textButton(t("measure.undo"), () => sketch?.undo(), "button-small", "undo"),
        textButton(t("measure.finish"), () => sketch?.finish(), "button-small button-primary"),
      );
    else
      replace(
        buttons,
        textButton(t("measure.again"), () => void begin(), "button-small button-primary", "ruler"),
        finished ? textButton(t("measure.keep"), keep, "button-small", "pencil") : null,
      );
  };
  const choose = (next: Kind): void => {
    kind = next;
    window.refresh();
    void begin();
  };
  const build = (): HTMLElement => {
    const tab = (one: Kind): HTMLElement =>
      h(
        "button",
        { type: "button", class: "segment", "aria-pressed": String(one === kind), onclick: () => choose(one) },
        t(`measure.${one}`),
      );
    drawResult();
    drawButtons();
    return h(
      "div",
      {},
      h("div", { class: "segments", role: "group", "aria-label": t("tool.measure") }, ...KINDS.map(tab)),
      h("p", { class: "soft" }, t("measure.hint")),
      result,
      said,
      buttons,
      makeTyping(map, (place) => sketch?.add(place)),
      h("p", { class: "soft" }, t("measure.geodesic")),
    );
  };
  const window = openWindow({
    name: "measure",
    title: () => t("tool.measure"),
    build,
    closed: () => {
      gone = true;
      sketch?.stop();
      showMeasured(map, null);
    },
  });
  void begin();
}
