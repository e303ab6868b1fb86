/** What pumps, gates, culverts and sewers did: volumes through each, the sewers' account, the worst manholes. */

import { type Child, h } from "../dom";
import { formatFixed, formatHours, formatNumber, formatShare, formatVolume } from "../format";
import { t } from "../i18n";
import type { Run, SewerAccount, Structures, ZoomToItem } from "../types";
import { csvText, saveText } from "./csv";
import { itemButton } from "./item-button";
import { figure, section, textButton } from "./parts";
import { longTable } from "./table";

function structuresPart(run: Run, structures: Structures, zoomToItem: ZoomToItem): HTMLElement | null {
  const worked = Object.entries(structures)
    .filter(([, moved]) => moved.forward + moved.backward >= 0.5)
    .sort(([, a], [, b]) => b.forward + b.backward - a.forward - a.backward);
  if (worked.length === 0) return null;
  const problem = h("div");
  const rows = worked.map(([id, moved]): Child[] => [
    itemButton("drainage_links", id, zoomToItem, problem),
    formatVolume(moved.forward),
    moved.backward >= 0.5 ? formatVolume(moved.backward) : "–",
  ]);
  const save = (): void => {
    const lines = Object.entries(structures).map(([id, moved]) => [id, moved.forward, moved.backward]);
    saveText(`${run.id}-structures.csv`, csvText([["id", "forward_m3", "backward_m3"], ...lines]));
  };
  return section(
    t("works.title"),
    longTable([t("works.structure"), t("works.forward"), t("works.backward")], rows),
    problem,
    textButton(t("impact.download"), save, "button-small", "download"),
  );
}

function sewerPart(sewer: SewerAccount, zoomToItem: ZoomToItem): HTMLElement {
  const problem = h("div");
  const rows = (sewer.manholes ?? []).map((manhole): Child[] => [
    itemButton("drainage_nodes", manhole.node, zoomToItem, problem),
    formatVolume(manhole.volume_out),
    `${formatFixed(manhole.head_above_ground, 2)} m`,
    formatHours(manhole.first_hours),
  ]);
  const error = sewer.swmm_continuity_error;
  return section(
    t("sewer.title"),
    h(
      "div",
      { class: "figures" },
      figure("drop", t("sewer.in"), formatVolume(sewer.surface_to_sewer)),
      figure("warning", t("sewer.out"), formatVolume(sewer.sewer_to_surface)),
      figure("wave", t("sewer.outfalls"), formatVolume(sewer.outfalls_out)),
      figure("flood", t("sewer.back"), formatVolume(sewer.outfalls_back)),
      figure("area", t("sewer.stored"), formatVolume(sewer.stored)),
      figure("pin", t("sewer.flooded"), formatNumber(sewer.flooded_manholes, 0)),
    ),
    rows.length > 0 ? h("h4", { class: "part-title" }, t("sewer.worst")) : null,
    rows.length > 0
      ? longTable([t("sewer.manhole"), t("sewer.volume"), t("sewer.head"), t("impact.firstHours")], rows)
      : null,
    problem,
    typeof error === "number"
      ? h("p", { class: "soft note" }, t("sewer.error", { value: formatShare(Math.abs(error)) }))
      : null,
  );
}

/** Build the parts about structures and sewers, as far as the run has them. */
export function worksParts(run: Run, zoomToItem: ZoomToItem): (HTMLElement | null)[] {
  const structures = run.provenance?.parameters?.structures;
  const sewer = run.summary?.sewer;
  return [sewer ? sewerPart(sewer, zoomToItem) : null, structures ? structuresPart(run, structures, zoomToItem) : null];
}
