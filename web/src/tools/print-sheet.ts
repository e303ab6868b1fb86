/** A map on a sheet of paper: title, map, legend, scale, north, date, sources; printed by the browser. */

import "../styles/print.css";
import type { Map as MapView } from "maplibre-gl";
import { findLayer, getCity, run, shownRaster } from "../data";
import { type Child, h, svg } from "../dom";
import { formatDateTime, formatNumber } from "../format";
import { say, t } from "../i18n";
import { legendList } from "../panels/layers";
import { swatch, syntheticBadge } from "../panels/parts";
import { getState } from "../state";
import type { Layer, Source } from "../types";
import { writePosition } from "./api";
import { COLORS, drawing } from "./drawing";
import { type Picture, pixelsOf, takePaperPicture } from "./print-picture";

export type Paper = "a4" | "a3";

export interface SheetOptions {
  title: string;
  subtitle: string;
  paper: Paper;
  landscape: boolean;
  dpi: number;
  /** Denominator of the scale, or null for what the screen shows. */
  scale: number | null;
}

const SIZES: Record<Paper, [number, number]> = { a4: [210, 297], a3: [297, 420] };
const MARGIN = 8;
const HEAD = 15;
const FOOT = 19;
const GAP = 3;
const LEGEND_WIDTH = 62;
const LEGEND_HEIGHT = 66;
const LONGEST_BAR = 32;

/** Return width and height of the map on the paper [mm]. */
export function mapSize({ paper, landscape }: Pick<SheetOptions, "paper" | "landscape">): [number, number] {
  const [short, long] = SIZES[paper];
  const [width, height] = landscape ? [long, short] : [short, long];
  const free = height - 2 * MARGIN - HEAD - FOOT - 2 * GAP;
  return landscape ? [width - 2 * MARGIN - LEGEND_WIDTH - GAP, free] : [width - 2 * MARGIN, free - LEGEND_HEIGHT - GAP];
}

/** Return the class of a sheet of paper; `print.css` gives it the size and the browser's page. */
export const sheetClass = (paper: Paper, landscape: boolean): string =>
  `sheet sheet-${paper}-${landscape ? "landscape" : "portrait"}`;

function scaleBar(scale: number): HTMLElement {
  const longest = (LONGEST_BAR / 1000) * scale;
  const power = 10 ** Math.floor(Math.log10(longest));
  const metres = ([5, 2, 1].find((step) => step * power <= longest) ?? 1) * power;
  const words = metres >= 1000 ? `${formatNumber(metres / 1000, 1)} km` : `${formatNumber(metres, 1)} m`;
  const bar = h("span", { class: "sheet-bar", style: `width:${((metres / scale) * 1000).toFixed(2)}mm` });
  return h(
    "div",
    { class: "sheet-scale" },
    h("strong", {}, t("sheet.scale", { scale: formatNumber(scale, 0) })),
    h("div", { class: "sheet-bar-row" }, h("span", {}, "0"), bar, h("span", {}, words)),
  );
}

function northArrow(bearing: number): SVGElement {
  const turn = svg(
    "g",
    { transform: `rotate(${(-bearing).toFixed(1)} 20 22)` },
    svg("path", { d: "M20 6 27 34 20 29 13 34Z", class: "north-needle" }),
    svg("path", { d: "M20 6 27 34 20 29Z", class: "north-half" }),
    svg("text", { x: 20, y: 5, class: "north-letter" }, t("sheet.northLetter")),
  );
  return svg(
    "svg",
    { viewBox: "-4 -6 48 52", class: "sheet-north", role: "img", "aria-label": t("sheet.north") },
    turn,
  );
}

function legendBlock(layer: Layer, note: string | null): HTMLElement {
  const [only, ...others] = layer.legend;
  // One sign needs no words of its own beside the layer's.
  if (only && others.length === 0) {
    return h("section", { class: "sheet-layer" }, h("h3", {}, swatch(only.color, only.shape), " ", say(layer.title)));
  }
  return h(
    "section",
    { class: "sheet-layer" },
    h("h3", {}, say(layer.title)),
    note ? h("p", { class: "sheet-note" }, note) : null,
    layer.legend.length > 0 ? legendList(layer) : null,
  );
}

/** Say of which run and moment the flood picture is. */
function floodNote(): string {
  const { time } = getState();
  const moment = shownRaster()?.times && time ? t("sheet.moment", { time: formatDateTime(time) }) : null;
  return [moment, run ? say(run.title) : null].filter(Boolean).join(" · ");
}

function drawingBlock(): HTMLElement | null {
  const named = drawing.get().filter((shape) => shape.name && shape.kind !== "Note");
  if (named.length === 0) return null;
  const shapes = { Point: "circle", LineString: "line", Polygon: "fill", Note: "circle" } as const;
  return h(
    "section",
    { class: "sheet-layer" },
    h("h3", {}, t("sheet.drawn")),
    h(
      "ul",
      { class: "legend" },
      ...named
        .slice(0, 20)
        .map((shape) => h("li", {}, swatch(COLORS[shape.color] ?? "", shapes[shape.kind]), h("span", {}, shape.name))),
    ),
  );
}

/** The layers in the picture: the flood first, then as the tree has them. */
function findShown(picture: Picture): Layer[] {
  const flood = shownRaster();
  const ids = [...(flood ? [flood.layer] : []), ...picture.layers];
  return [...new Set(ids)]
    .flatMap((id) => findLayer(id) ?? [])
    .sort((a, b) => Number(b.kind === "raster") - Number(a.kind === "raster"));
}

/** Sources of the same licence and owner are told together. */
function sourceWords(layers: readonly Layer[]): string {
  const { attribution } = getCity();
  const groups = new Map<string, Set<string>>();
  for (const source of layers.flatMap((layer): Source[] => layer.sources ?? [])) {
    const own = source.attribution === attribution ? "" : source.attribution;
    const terms = [source.licence, own].filter(Boolean).join("; ");
    groups.set(terms, (groups.get(terms) ?? new Set()).add(say(source.title)));
  }
  const lines = [...groups].map(([terms, titles]) => `${[...titles].join(", ")} (${terms})`);
  return [...lines, attribution].filter(Boolean).join(" · ");
}

async function cornerWords(picture: Picture): Promise<string> {
  if (!picture.corners) return t("sheet.tilted");
  try {
    const [first, last] = await Promise.all(picture.corners.map(([lon, lat]) => writePosition(lon, lat)));
    const words = (writings: typeof first): string =>
      (writings ?? [])
        .filter(({ form }) => form !== "dms")
        .map(({ form, text }) => (form === "metres" ? t("sheet.metres", { text }) : text))
        .join(" / ");
    return t("sheet.corners", { first: words(first), last: words(last) });
  } catch {
    // The sheet is of use without them.
    return "";
  }
}

/** Build the sheet; its picture is drawn at the resolution that is asked for. */
export async function makeMapSheet(map: MapView, options: SheetOptions, signal: AbortSignal): Promise<HTMLElement> {
  const [width, height] = mapSize(options);
  const picture = await takePaperPicture(map, { width, height, dpi: options.dpi, scale: options.scale }, signal);
  const city = getCity();
  const layers = findShown(picture);
  const corners = await cornerWords(picture);
  const legend: Child[] = layers.map((layer) =>
    legendBlock(layer, layer.id === shownRaster()?.layer ? floodNote() : null),
  );
  const image = h("img", {
    class: "sheet-picture",
    src: picture.url,
    alt: t("sheet.alt", { title: options.title }),
    width: Math.round(pixelsOf(width)),
    height: Math.round(pixelsOf(height)),
  });
  await image.decode().catch(() => undefined);
  return h(
    "article",
    { class: sheetClass(options.paper, options.landscape), lang: getState().lang },
    h(
      "header",
      { class: "sheet-head" },
      h(
        "div",
        {},
        h("h1", { class: "sheet-title" }, options.title),
        h("p", { class: "sheet-subtitle" }, options.subtitle),
      ),
      city.synthetic ? syntheticBadge(t("app.synthetic")) : null,
    ),
    h("figure", { class: "sheet-map" }, image),
    h(
      "div",
      { class: "sheet-side" },
      h(
        "div",
        { class: "sheet-measures" },
        picture.scale === null ? h("p", {}, t("sheet.noScale")) : scaleBar(picture.scale),
        northArrow(picture.bearing),
      ),
      h("div", { class: "sheet-legend" }, h("h2", {}, t("layers.legend")), ...legend, drawingBlock()),
    ),
    h(
      "footer",
      { class: "sheet-foot" },
      h(
        "p",
        {},
        t("sheet.printed", { time: formatDateTime(new Date()), city: say(city.title), crs: city.crs }),
        " ",
        corners,
      ),
      h("p", {}, h("strong", {}, t("sheet.sources")), " ", sourceWords(layers)),
    ),
  );
}

/** Move what of the legend does not fit to a second sheet; the sheet must be in the page. */
export function splitLegend(sheet: HTMLElement): HTMLElement[] {
  const legend = sheet.querySelector<HTMLElement>(".sheet-legend");
  if (!legend) return [sheet];
  const box = legend.getBoundingClientRect();
  const isOutside = (block: Element): boolean => {
    const { bottom, right } = block.getBoundingClientRect();
    return bottom > box.bottom + 1 || right > box.right + 1;
  };
  const outside = [...legend.children].slice(1).filter(isOutside);
  if (outside.length === 0) return [sheet];
  const title = `${sheet.querySelector(".sheet-title")?.textContent ?? ""} – ${t("sheet.legendMore")}`;
  const page = h(
    "article",
    { class: `${sheet.className} sheet-more`, lang: sheet.lang },
    h("header", { class: "sheet-head" }, h("h1", { class: "sheet-title" }, title)),
    h("div", { class: "sheet-legend" }, ...(outside as HTMLElement[])),
  );
  return [sheet, page];
}

/** Put sheets where the browser prints them instead of the page; returns what takes them away again. */
export function layForPrint(sheets: readonly HTMLElement[]): () => void {
  const root = h("div", { class: "print-root" }, ...sheets);
  document.body.append(root);
  document.documentElement.classList.add("has-sheets");
  return () => {
    root.remove();
    document.documentElement.classList.remove("has-sheets");
  };
}
