/** Projects on a bar of time: planned from start to finish, done so far, what is expected beyond, and today. */

import { h, svg } from "../dom";
import { formatDay, formatShare, parseMoment } from "../format";
import { t } from "../i18n";
import type { Project } from "./project-data";

const ROW = 26;
const TOP = 22;
const WIDTH = 420;
/** Room left of today when the bars come on the screen. */
const BEFORE = 90;
const YEAR_MS = 31_557_600_000;

const at = (text: string | null): number => parseMoment(text)?.getTime() ?? Number.NaN;

/** Draw the bars. */
export function ganttChart(projects: readonly Project[], open: (project: Project) => void): HTMLElement | null {
  const known = projects.filter(({ start, finish }) => Number.isFinite(at(start)) && Number.isFinite(at(finish)));
  if (known.length === 0) return null;
  const first = Math.min(...known.map(({ start }) => at(start)));
  const last = Math.max(...known.flatMap(({ finish, expected }) => [at(finish), at(expected)]).filter(Number.isFinite));
  const span = Math.max(last - first, YEAR_MS / 12);
  const x = (moment: number): number => ((moment - first) / span) * WIDTH;
  const height = TOP + known.length * ROW;
  const years: SVGElement[] = [];
  for (let year = new Date(first).getUTCFullYear() + 1; Date.UTC(year, 0, 1) < last; year++) {
    const place = x(Date.UTC(year, 0, 1));
    years.push(
      svg("line", { class: "gantt-year", x1: place, x2: place, y1: TOP - 6, y2: height }),
      svg("text", { class: "gantt-label", x: place + 3, y: TOP - 8 }, String(year)),
    );
  }
  const bars = known.flatMap((project, row) => {
    const { start, finish, expected, progress } = project;
    const [x0, x1, y] = [x(at(start)), x(at(finish)), TOP + row * ROW + 6];
    const beyond = at(expected) > at(finish) ? x(at(expected)) - x1 : 0;
    return [
      svg("rect", { class: "gantt-planned", x: x0, y, width: Math.max(x1 - x0, 2), height: 14, rx: 3 }),
      svg("rect", { class: "gantt-done", x: x0, y, width: Math.max((x1 - x0) * progress, 0), height: 14, rx: 3 }),
      ...(beyond > 0 ? [svg("rect", { class: "gantt-late", x: x1, y: y + 3, width: beyond, height: 8 })] : []),
    ];
  });
  const now = x(Date.now());
  const today =
    now >= 0 && now <= WIDTH ? [svg("line", { class: "gantt-now", x1: now, x2: now, y1: TOP - 6, y2: height })] : [];
  const chart = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, "aria-hidden": "true", class: "gantt-chart" },
    ...years,
    ...bars,
    ...today,
  );
  const names = known.map((project) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: "link-button gantt-name",
          title: `${project.name}: ${formatDay(project.start)} – ${formatDay(project.finish)}, ${formatShare(project.progress)}`,
          onclick: () => open(project),
        },
        project.name,
      ),
    ),
  );
  const holder = h(
    "div",
    { class: "gantt-scroll", tabindex: 0, role: "group", "aria-label": t("plan.timeBar") },
    chart,
  );
  requestAnimationFrame(() => {
    holder.scrollLeft = Math.max(now - BEFORE, 0);
  });
  return h(
    "div",
    { class: "gantt" },
    h("ul", { class: "plain-list gantt-names" }, ...names),
    holder,
    h("p", { class: "soft note gantt-key" }, t("plan.timeKey")),
  );
}
