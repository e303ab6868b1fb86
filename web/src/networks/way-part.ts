/** The long profile of what a trace found, from its answer. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { formatFixed, formatLength, formatNumber } from "../format";
import { t } from "../i18n";
import { drawFlags } from "../map/network";
import { zoomToBounds } from "../map/pick";
import { failure, figure, loading, section, textButton } from "../panels/parts";
import { longTable } from "../panels/table";
import { watch } from "../state";
import type { Answer } from "./asking";
import { placeDock, takeDock } from "./dock-place";
import { findFlags } from "./drawing";
import type { LongProfile } from "./profile-chart";
import { makeDock } from "./profile-dock";
import { findWay } from "./way";
import { hasProfile, readWayProfile } from "./way-profile";

const POINTED = "#7b2cbf";
/** Room that is left below the way [px]. */
const MARGIN = 60;

function reachTable({ stations, reaches, labels }: LongProfile): HTMLElement {
  const level = (value: number | null | undefined): string =>
    value === null || value === undefined || !Number.isFinite(value) ? "–" : formatFixed(value, 2);
  const rows = reaches.id.map((id, at) => [
    id,
    formatFixed(stations.distance[at], 0),
    level(stations.rim[at]),
    level(reaches.start_bed[at]),
    level(reaches.start_crown[at]),
    labels?.[at] ?? "",
  ]);
  const headings = [
    t("profile.link"),
    `${t("profile.distance")} [m]`,
    `${t("profile.ground")} [m]`,
    `${t("profile.linkBed")} [m]`,
    `${t("profile.linkCrown")} [m]`,
    t("profile.size"),
  ];
  return longTable(headings, rows);
}

let dock: ReturnType<typeof makeDock> | null = null;

/** Take the drawing away, where one is shown. */
export function closeWay(): void {
  if (dock) takeDock(dock.element);
}

/** Build the button and what it brings; null where the links of a network have no known depth. */
export function wayPart(map: MapView, answer: Answer): HTMLElement | null {
  const { features, question } = answer;
  if (!features || !hasProfile(question.commodity)) return null;
  const way = findWay(features["trace_links"] ?? [], features["trace_nodes"] ?? []);
  if (way.length === 0) return null;
  const body = h("div", { "aria-live": "polite" });
  const sheet = h("div");
  const places = [way[0]!.line[0]!, ...way.map(({ line }) => line.at(-1)!)];

  const flag = async (index: number | null): Promise<void> => {
    const flags = await findFlags(question);
    const place = index === null ? undefined : places[index];
    drawFlags(map, place ? [...flags, { place, label: "•", color: POINTED }] : flags);
  };
  const open = async (): Promise<void> => {
    replace(body, loading(t("profile.drawing")));
    try {
      const profile = await readWayProfile(way, new AbortController().signal);
      closeWay();
      dock = makeDock({ moment: () => undefined, point: (index) => void flag(index), close: closeWay });
      placeDock(dock.element, sheet);
      dock.show(profile, []);
      const { bounds } = answer.figures;
      const covered = dock.element.parentElement === sheet ? 0 : dock.element.offsetHeight;
      if (bounds) zoomToBounds(map, bounds, covered + MARGIN);
      replace(
        body,
        h(
          "div",
          { class: "figures" },
          figure("road", t("measure.length"), formatLength(profile.length)),
          figure("layers", t("profile.links"), formatNumber(way.length, 0)),
        ),
        sheet,
        reachTable(profile),
      );
    } catch (error) {
      replace(
        body,
        failure(error, () => void open()),
      );
    }
  };
  return section(
    t("tool.profile"),
    h("p", { class: "soft way-words" }, t("profile.ofTrace")),
    textButton(t("profile.draw"), () => void open(), "button-small way-button", "plan"),
    body,
  );
}

watch(["tab", "tool", "question"], closeWay);
