/** Rows as the starts of a trace. */

import { t } from "../i18n";
import { findCommodity } from "../networks/commodities";
import { showNetwork } from "../networks/form";
import { FIRST_QUESTION } from "../networks/question";
import { notify } from "../panels/notice";
import { setState } from "../state";

/** As many places a question holds. */
const MOST_STARTS = 50;

/** Whether a layer is part of a network. */
export const isTraceable = (layer: string): boolean => findCommodity(layer, {}) !== undefined;

/** Ask what hangs together with these items; the person then chooses the direction. */
export function traceFrom(layer: string, ids: readonly string[], properties: Record<string, unknown> = {}): void {
  const commodity = findCommodity(layer, properties);
  if (!commodity || ids.length === 0) return;
  if (ids.length > MOST_STARTS) notify(t("table.manyStarts", { count: MOST_STARTS }));
  showNetwork(commodity);
  const starts = ids.slice(0, MOST_STARTS).map((id) => `${layer}/${id}`);
  setState({
    tab: "networks",
    tool: "trace",
    panelOpen: true,
    question: { ...FIRST_QUESTION, commodity, kind: "downstream", starts },
  });
}
