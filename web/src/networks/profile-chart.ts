/** A long profile as engineers draw it: ground, pipes, manholes, the highest water and that of a moment. */

import { append, svg } from "../dom";
import { formatNumber } from "../format";
import { t } from "../i18n";
import type { Profile } from "../types";

/** A profile of a run, or one that knows no water but the ground between its nodes. */
export interface LongProfile extends Profile {
  isDry?: true;
  /** Whether its links run under pressure: they have no shafts. */
  isPressure?: true;
  /** Distance and elevation of the ground [m]. */
  ground?: [number, number][];
  /** What is written under each link. */
  labels?: string[];
}

const MARGIN = { left: 48, right: 14, top: 30, bottom: 34 };
const MANHOLE = 5;
const LABEL_ROOM = 88;
/** About as wide a letter of a label is [px]. */
const LETTER = 5.6;

/** Colours are written out, so that a saved drawing looks like the one on the screen. */
const COLORS = {
  ground: "#8a6a3d",
  earth: "#efe6d6",
  pipe: "#5a6f7d",
  inside: "#ffffff",
  shell: "#c9d6df",
  water: "#5fb2db",
  highest: "#c0392b",
  moment: "#1f6fb2",
  flood: "#7b2cbf",
  text: "#33475b",
  line: "#d5dee4",
};

export interface Scale {
  x: (distance: number) => number;
  y: (elevation: number) => number;
  width: number;
  height: number;
}

/** Return round steps from `low` to `high`, about `count` of them. */
export function findTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const first = Math.ceil(low / step - 1e-9) * step;
  const ticks: number[] = [];
  for (let value = first; value <= high + step * 1e-9; value += step) ticks.push(Number(value.toPrecision(12)));
  return ticks;
}

function findRange({ stations, reaches, ground }: LongProfile): [number, number] {
  const isNumber = (value: number | null): value is number => value !== null && Number.isFinite(value);
  const levels = [
    stations.invert,
    stations.rim,
    stations.max_head,
    reaches.start_bed,
    reaches.end_bed,
    reaches.start_crown,
    reaches.end_crown,
    (ground ?? []).map(([, elevation]) => elevation),
  ].flatMap((column: (number | null)[]) => column.filter(isNumber));
  const [low, high] = [Math.min(...levels), Math.max(...levels)];
  const margin = Math.max((high - low) * 0.08, 0.2);
  return [low - margin, high + margin];
}

export function makeScale(profile: LongProfile, width: number, height: number): Scale {
  const [low, high] = findRange(profile);
  const across = width - MARGIN.left - MARGIN.right;
  const down = height - MARGIN.top - MARGIN.bottom;
  return {
    x: (distance) => MARGIN.left + (distance / Math.max(profile.length, 1)) * across,
    y: (elevation) => MARGIN.top + ((high - elevation) / (high - low)) * down,
    width,
    height,
  };
}

const points = (pairs: [number, number][]): string =>
  pairs.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

function drawAxes(profile: LongProfile, scale: Scale): SVGElement {
  const [low, high] = findRange(profile);
  const group = svg("g", { "font-size": 11, fill: COLORS.text });
  const { width, height } = scale;
  for (const level of findTicks(low, high, height / 44)) {
    const y = scale.y(level);
    append(
      group,
      svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y, stroke: COLORS.line }),
      svg("text", { x: MARGIN.left - 6, y: y + 4, "text-anchor": "end" }, formatNumber(level, 2)),
    );
  }
  for (const distance of findTicks(0, profile.length, width / 110)) {
    const x = scale.x(distance);
    append(group, svg("text", { x, y: height - 18, "text-anchor": "middle" }, formatNumber(distance, 0)));
  }
  append(
    group,
    svg("text", { x: MARGIN.left - 6, y: 16, "text-anchor": "end" }, "m"),
    svg("text", { x: width / 2, y: height - 3, "text-anchor": "middle" }, `${t("profile.distance")} (m)`),
  );
  return group;
}

function drawGround({ stations, ground }: LongProfile, scale: Scale): SVGElement {
  const rims = stations.rim.flatMap((rim, index): [number, number][] =>
    rim === null ? [] : [[stations.distance[index]!, rim]],
  );
  const known = (ground && ground.length > 1 ? ground : rims).map(([distance, elevation]): [number, number] => [
    scale.x(distance),
    scale.y(elevation),
  ]);
  const floor = scale.height - MARGIN.bottom;
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last) return svg("g", {});
  return svg(
    "g",
    {},
    svg("polygon", { points: points([...known, [last[0], floor], [first[0], floor]]), fill: COLORS.earth }),
    svg("polyline", { points: points(known), fill: "none", stroke: COLORS.ground, "stroke-width": 2 }),
  );
}

/** Pipes with the water that stands in them: that of the moment, else the highest. */
function drawPipes({ reaches, isDry, labels }: LongProfile, scale: Scale): SVGElement {
  const group = svg("g", {});
  reaches.id.forEach((id, index) => {
    const [x0, x1] = [scale.x(reaches.start[index]!), scale.x(reaches.end[index]!)];
    const [bed0, bed1] = [reaches.start_bed[index]!, reaches.end_bed[index]!];
    const [crown0, crown1] = [reaches.start_crown[index], reaches.end_crown[index]];
    const heads = [
      reaches.start_head[index] ?? reaches.start_max_head[index]!,
      reaches.end_head[index] ?? reaches.end_max_head[index]!,
    ];
    if (crown0 == null || crown1 == null) {
      append(
        group,
        svg("line", {
          x1: x0,
          x2: x1,
          y1: scale.y(bed0),
          y2: scale.y(bed1),
          stroke: COLORS.pipe,
          "stroke-width": 3,
          "stroke-dasharray": "4 3",
        }),
      );
      return;
    }
    const outline: [number, number][] = [
      [x0, scale.y(crown0)],
      [x1, scale.y(crown1)],
      [x1, scale.y(bed1)],
      [x0, scale.y(bed0)],
    ];
    const clamp = (level: number, bed: number, crown: number): number => Math.min(Math.max(level, bed), crown);
    const water: [number, number][] = [
      [x0, scale.y(clamp(heads[0]!, bed0, crown0))],
      [x1, scale.y(clamp(heads[1]!, bed1, crown1))],
      [x1, scale.y(bed1)],
      [x0, scale.y(bed0)],
    ];
    append(
      group,
      svg(
        "g",
        { "data-link": id },
        svg("polygon", { points: points(outline), fill: COLORS.inside }),
        isDry ? null : svg("polygon", { points: points(water), fill: COLORS.water }),
        svg("polygon", {
          points: points(outline),
          fill: isDry ? COLORS.shell : "none",
          stroke: COLORS.pipe,
          "stroke-width": 1.25,
        }),
        drawLabel(labels?.[index] ?? "", x0, x1, scale.y(Math.min(bed0, bed1))),
      ),
    );
  });
  return group;
}

/** Words under a link, as many of them as it is long enough for. */
function drawLabel(words: string, from: number, to: number, bed: number): SVGElement | null {
  const fitting = [words, words.split(" · ")[0]!].find((text) => text && text.length * LETTER <= to - from);
  if (!fitting) return null;
  const look = { "text-anchor": "middle", "font-size": 10, fill: COLORS.text };
  return svg("text", { x: (from + to) / 2, y: bed + 13, ...look }, fitting);
}

function drawLevels(profile: LongProfile, scale: Scale): SVGElement {
  if (profile.isDry) return svg("g", {});
  const { reaches } = profile;
  const line = (from: (number | null)[], to: (number | null)[]): string =>
    points(
      reaches.id.flatMap((_, index): [number, number][] => {
        const [first, last] = [from[index], to[index]];
        if (first == null || last == null) return [];
        return [
          [scale.x(reaches.start[index]!), scale.y(first)],
          [scale.x(reaches.end[index]!), scale.y(last)],
        ];
      }),
    );
  const look = { fill: "none", "stroke-width": 2, "stroke-linejoin": "round" };
  return svg(
    "g",
    {},
    svg("polyline", {
      ...look,
      points: line(reaches.start_max_head, reaches.end_max_head),
      stroke: COLORS.highest,
      "stroke-dasharray": "7 4",
    }),
    profile.at === null
      ? null
      : svg("polyline", { ...look, points: line(reaches.start_head, reaches.end_head), stroke: COLORS.moment }),
  );
}

function drawManholes({ stations, isPressure }: LongProfile, scale: Scale): SVGElement {
  const group = svg("g", { "font-size": 10, fill: COLORS.text });
  let labelled = Number.NEGATIVE_INFINITY;
  stations.id.forEach((id, index) => {
    const x = scale.x(stations.distance[index]!);
    const bottom = scale.y(stations.invert[index]!);
    const top = scale.y(stations.rim[index] ?? stations.max_head[index]!);
    append(
      group,
      svg("rect", {
        opacity: isPressure ? 0 : 1,
        x: x - MANHOLE / 2,
        y: top,
        width: MANHOLE,
        height: Math.max(bottom - top, 0),
        fill: "#ffffff",
        "fill-opacity": 0.75,
        stroke: COLORS.pipe,
      }),
    );
    if (stations.flooded[index]) {
      const marker: [number, number][] = [
        [x - 7, top - 14],
        [x + 7, top - 14],
        [x, top - 3],
      ];
      append(group, svg("polygon", { points: points(marker), fill: COLORS.flood, "data-flooded": id }));
    }
    const isLast = index === stations.id.length - 1;
    if (x - labelled < LABEL_ROOM || (!isLast && scale.x(stations.distance.at(-1)!) - x < LABEL_ROOM)) return;
    labelled = x;
    const anchor = index === 0 ? "start" : isLast ? "end" : "middle";
    append(group, svg("text", { x, y: 24, "text-anchor": anchor }, id));
  });
  return group;
}

/** Draw a profile `width` by `height` pixels large. */
export function drawProfile(profile: LongProfile, width: number, height: number): SVGElement {
  const scale = makeScale(profile, width, height);
  const words = t(profile.isDry ? "profile.dryWords" : "profile.words", {
    from: profile.stations.id[0] ?? "",
    to: profile.stations.id.at(-1) ?? "",
    length: formatNumber(profile.length, 0),
    flooded: profile.flooded.length,
  });
  return svg(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": words,
      "font-family": "Be Vietnam Pro, sans-serif",
    },
    svg("rect", { width, height, fill: "#ffffff" }),
    drawAxes(profile, scale),
    drawGround(profile, scale),
    drawPipes(profile, scale),
    drawManholes(profile, scale),
    drawLevels(profile, scale),
  );
}

/** Colours and words of the lines, for a key beside the drawing. */
export const profileKey = ({ isDry }: LongProfile): [string, string][] => [
  [COLORS.ground, t("profile.ground")],
  [COLORS.pipe, t("profile.pipe")],
  ...(isDry
    ? []
    : ([
        [COLORS.highest, t("profile.highest")],
        [COLORS.moment, t("profile.moment")],
        [COLORS.flood, t("profile.flooded")],
      ] satisfies [string, string][])),
];
