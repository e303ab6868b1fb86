/** The crew's list: valves in order, what not to touch, who is without water, what could help. */

import type { Map as MapView } from "maplibre-gl";
import { getCity } from "../data";
import { type Child, h } from "../dom";
import { formatDateTime, formatLength, formatNumber } from "../format";
import { say, t } from "../i18n";
import { zoomToBounds } from "../map/pick";
import { takePicture } from "../map/view";
import { itemButton } from "../panels/item-button";
import { empty, figure, section, textButton } from "../panels/parts";
import { codeTitle, longTable, table } from "../panels/table";
import { getState } from "../state";
import type { ZoomToItem } from "../types";
import { answerButtons, dirtyNote } from "./answer";
import { changeQuestion } from "./asking";
import { roleColor } from "./drawing";
import { memberPart } from "./members";
import { measureDistance, type Position } from "./places";
import { type IsolationFigures, type Met, memberLayers, splitItem } from "./words";

const VALVES = "isolation_valves";
/** Things that are told by name, the gravest first. */
const NAMED = ["hospitals", "schools", "hydrants"] as const;

type Declared = "stuck" | "closed";

/** Declare a valve stuck or closed, or take that back; the question is asked anew. */
function toggleValve(item: string, as: Declared): void {
  const { question } = getState();
  const without = (words: readonly string[]): string[] => words.filter((word) => word !== item);
  const isSet = question[as].includes(item);
  const change = { stuck: without(question.stuck), closed: without(question.closed) };
  if (!isSet) change[as].push(item);
  changeQuestion(change);
}

function toggleButton(item: string, as: Declared): HTMLElement {
  const isSet = getState().question[as].includes(item);
  const label = t(as === "stuck" ? "isolation.markStuck" : "isolation.markClosed");
  const button = textButton(label, () => toggleValve(item, as), "button-small button-toggle");
  button.setAttribute("aria-pressed", String(isSet));
  button.setAttribute("aria-label", `${label}: ${splitItem(item).id}`);
  return button;
}

/** Builds rows of valves and names; `from` is where the crew stands. */
class Writer {
  readonly problem = h("div");

  constructor(
    readonly zoomToItem: ZoomToItem,
    readonly from: Position | null,
  ) {}

  link(met: Met): HTMLElement {
    const { layer, id } = splitItem(met.item);
    return itemButton(layer, id, this.zoomToItem, this.problem, met.name ?? id);
  }

  /** A valve as the crew needs it: which, how large, how many turns, where. */
  valve(met: Met, role: string): HTMLElement {
    const { layer } = splitItem(met.item);
    const away = this.from ? formatLength(measureDistance(this.from, met.position)) : null;
    const facts = [
      met.diameter ? `DN ${formatNumber(met.diameter * 1000, 0)}` : null,
      met.turns ? t("isolation.turns", { count: met.turns }) : null,
      met.status ? codeTitle(layer, "status", met.status) : null,
      away ? t("isolation.away", { distance: away }) : null,
    ].filter(Boolean);
    const again = met.restores
      ? t("isolation.restores", {
          customers: formatNumber(met.restores.customers, 0),
          length: formatLength(met.restores.length),
        })
      : null;
    return h(
      "li",
      { class: "valve", "data-item": met.item },
      h("span", { class: "valve-mark", style: `--role:${roleColor(VALVES, role)}` }, met.order ?? ""),
      h(
        "div",
        { class: "valve-words" },
        this.link(met),
        h("span", {}, facts.join(" · ")),
        met.street ? h("span", { class: "soft" }, met.street) : null,
        met.note ? h("span", { class: "soft" }, met.note) : null,
        again ? h("span", {}, again) : null,
      ),
      h("span", { class: "valve-box print-only", "aria-hidden": "true" }),
      h("div", { class: "valve-buttons no-print" }, toggleButton(met.item, "stuck"), toggleButton(met.item, "closed")),
    );
  }

  valves(title: string, hint: string, valves: Met[], role: string): HTMLElement | null {
    if (valves.length === 0) return null;
    return section(
      title,
      h("p", { class: "soft" }, hint),
      h("ol", { class: "valves", "data-role": role }, ...valves.map((met) => this.valve(met, role))),
    );
  }
}

function outageFigures(figures: IsolationFigures): HTMLElement {
  const { without_water: dry, behind } = figures;
  const count = (value: number | undefined): string => formatNumber(value ?? 0, 0);
  return section(
    t("isolation.outage"),
    h(
      "div",
      { class: "figures" },
      figure("building", t("measure.customers"), count(dry["customers"])),
      figure("people", t("measure.population"), count(dry["population"])),
      figure("road", t("measure.length"), formatLength(dry.length)),
      figure("flame", t("equipment.hydrants"), count(dry["hydrants"])),
      figure("warning", t("equipment.hospitals"), count(dry["hospitals"])),
      figure("pin", t("equipment.schools"), count(dry["schools"])),
    ),
    behind.link_count > 0
      ? h(
          "p",
          { class: "soft note" },
          t("isolation.behind", { length: formatLength(behind.length), customers: count(behind["customers"]) }),
        )
      : null,
  );
}

function namedPart(figures: IsolationFigures, writer: Writer): HTMLElement | null {
  const groups = NAMED.flatMap((kind) => {
    const named = figures.named[kind] ?? [];
    const rows = named.map((met): Child[] => [writer.link(met), met.address ?? met.street ?? "–"]);
    return named.length > 0
      ? [
          h("h4", { class: "part-title" }, t(`equipment.${kind}`)),
          longTable([t("isolation.name"), t("isolation.address")], rows),
        ]
      : [];
  });
  return groups.length > 0 ? section(t("isolation.named"), ...groups) : null;
}

function deadEndPart(figures: IsolationFigures, writer: Writer): HTMLElement | null {
  if (figures.dead_ends.length === 0) return null;
  const rows = figures.dead_ends.map((end): Child[] => [
    writer.link({ item: end.valve, position: [0, 0] }),
    formatLength(end.length),
    end.items.map((item) => splitItem(item).id).join(", "),
  ]);
  const headings = [t("isolation.valve"), t("measure.length"), t("isolation.pipes")];
  return section(
    t("isolation.deadEnds"),
    h("p", { class: "soft" }, t("isolation.deadEndsHint")),
    table(headings, rows),
  );
}

/** Valves that somebody declared and that the answer does not list: they can be taken back here. */
function declaredPart(figures: IsolationFigures): HTMLElement | null {
  const { stuck, closed } = getState().question;
  const listed = new Set(Object.values(figures.valves).flatMap((valves) => valves.map((met) => met.item)));
  const row = (item: string, as: Declared): HTMLElement[] =>
    listed.has(item) ? [] : [h("li", { class: "row" }, h("strong", {}, splitItem(item).id), toggleButton(item, as))];
  const rows = [...stuck.flatMap((item) => row(item, "stuck")), ...closed.flatMap((item) => row(item, "closed"))];
  return rows.length > 0 ? section(t("isolation.declared"), h("ul", { class: "plain-list" }, ...rows)) : null;
}

/** Build the answer of an isolation; `from` is the place of the break. */
export function isolationAnswer(
  map: MapView,
  figures: IsolationFigures,
  from: Position | null,
  zoomToItem: ZoomToItem,
): HTMLElement {
  const writer = new Writer(zoomToItem, from);
  const { valves } = figures;
  const picture = h("img", { class: "crew-map print-only", alt: "" });
  const printSheet = async (): Promise<void> => {
    if (figures.bounds) zoomToBounds(map, figures.bounds);
    picture.src = await takePicture(map);
    await picture.decode();
    window.print();
  };
  const print = textButton(t("isolation.print"), () => void printSheet(), "button-small");
  const count = valves.close.length + valves.close_idle.length;
  const starts = figures.starts.map((told) => told.item).join(", ");
  return h(
    "div",
    { class: "answer crew-list" },
    h(
      "header",
      { class: "print-only" },
      h("h1", {}, t("isolation.title", { city: say(getCity().title) })),
      h("p", {}, `${t("network.break")}: ${starts} · ${formatDateTime(new Date())}`),
    ),
    picture,
    dirtyNote(figures),
    answerButtons(map, figures, print),
    valves.sources_inside.length > 0
      ? section(
          t("isolation.sources"),
          h("p", { class: "message message-warning" }, t("isolation.sourcesHint")),
          h("ul", { class: "plain-list" }, ...valves.sources_inside.map((met) => h("li", {}, writer.link(met)))),
        )
      : null,
    count === 0 ? empty(t("isolation.none")) : null,
    writer.valves(
      t("isolation.close", { count: valves.close.length }),
      t("isolation.closeHint"),
      valves.close,
      "close",
    ),
    writer.valves(t("isolation.idle"), t("isolation.idleHint"), valves.close_idle, "close_idle"),
    writer.valves(t("isolation.closed"), t("isolation.closedHint"), valves.already_closed, "already_closed"),
    writer.valves(t("isolation.stuck"), t("isolation.stuckHint"), valves.stuck, "stuck"),
    writer.valves(t("isolation.broken"), t("isolation.brokenHint"), valves.broken, "stuck"),
    declaredPart(figures),
    writer.problem,
    outageFigures(figures),
    namedPart(figures, writer),
    writer.valves(t("isolation.feeds"), t("isolation.feedsHint"), figures.feeds, "feed"),
    deadEndPart(figures, writer),
    h("div", { class: "no-print" }, memberPart(figures.id, memberLayers(figures), zoomToItem)),
  );
}
