/** The tools that everyone has in hand; the program of each is loaded when it is first used. */

import type { Map as MapView } from "maplibre-gl";
import { explain, t } from "../i18n";
import type { IconName } from "../icons";
import { notify } from "../panels/notice";
import { drawing } from "./drawing";

export type ToolName = "measure" | "draw" | "share" | "sheet" | "links" | "keys";

interface Tool {
  icon: IconName;
  open: (map: MapView) => Promise<void>;
}

const TOOLS: Record<ToolName, Tool> = {
  measure: { icon: "ruler", open: async (map) => (await import("./measure")).openMeasure(map) },
  draw: { icon: "pencil", open: async (map) => (await import("./draw")).openDraw(map) },
  share: { icon: "share", open: async () => (await import("./share")).openShare() },
  sheet: { icon: "print", open: async (map) => (await import("./print")).openPrint(map) },
  links: { icon: "link", open: async () => (await import("../overlays/dialog")).openOverlayLinks() },
  keys: { icon: "keyboard", open: async () => (await import("./keys")).openKeys() },
};

/** Tools whose buttons stand by the map; the others are in the header. */
export const MAP_TOOLS: readonly ToolName[] = ["measure", "draw"];
export const PAGE_TOOLS: readonly ToolName[] = ["share", "sheet", "links", "keys"];

export const toolIcon = (name: ToolName): IconName => TOOLS[name].icon;

export const toolLabel = (name: ToolName): string => t(`tool.${name}`);

/** Open a tool; where its program does not come, say so. */
export function openTool(map: MapView, name: ToolName): void {
  TOOLS[name].open(map).catch((error: unknown) => notify(explain(error)));
}

/** Draw what the link brought or somebody adds; nothing is loaded while nothing is drawn. */
export function followDrawing(map: MapView): void {
  const follow = (): void => {
    if (drawing.get().length === 0) return;
    import("./overlay").then(
      (overlay) => overlay.followDrawing(map),
      (error: unknown) => notify(explain(error)),
    );
  };
  drawing.watch(follow);
  follow();
}
