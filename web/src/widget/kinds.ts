/** What a widget can be, and the address that asks for it. */

import type { Lang, Scheme } from "../state";

export type WidgetKind = "indicator" | "gauge" | "alarms" | "map";

export const KINDS: readonly WidgetKind[] = ["indicator", "gauge", "alarms", "map"];

export interface WidgetChoice {
  kind: WidgetKind;
  /** Indicator or gauge. */
  id: string;
  layers: readonly string[];
  flood: boolean;
  lang: Lang;
  scheme: Scheme;
}

/** Usual sizes [px]. */
export const SIZES: Record<WidgetKind, [width: number, height: number]> = {
  indicator: [260, 200],
  gauge: [520, 320],
  alarms: [380, 420],
  map: [560, 420],
};

/** Write the address of a widget, relative to the viewer's folder. */
export function writeWidget({ kind, id, layers, flood, lang, scheme }: WidgetChoice): string {
  const query = new URLSearchParams({ type: kind });
  if (kind === "indicator" || kind === "gauge") query.set("id", id);
  if (kind === "map" && layers.length > 0) query.set("layers", layers.join(","));
  if (kind === "map" && !flood) query.set("flood", "no");
  query.set("lang", lang);
  query.set("scheme", scheme);
  return `widget.html?${query.toString().replaceAll("%2C", ",")}`;
}
