/** Why there is no way, in the chosen language: the server gives its reasons in English. */

import { ApiError } from "../api";
import { explain, type Key, t } from "../i18n";

const REASONS: readonly [RegExp, Key][] = [
  [/water closes every way/, "reason.water"],
  [/road works or closures in force/, "reason.works"],
  [/roads to avoid/, "reason.avoid"],
  [/too high, heavy or wide/, "reason.vehicle"],
  [/together close it/, "reason.together"],
  [/the start lies in a part/, "reason.start"],
  [/the end lies in a part/, "reason.end"],
  [/parts of the network that no road joins/, "reason.apart"],
  [/no road .* within|is within .* of no road|no road near/, "reason.noRoad"],
];

/** Say why a question about ways was refused. */
export function explainWay(error: unknown): string {
  if (!(error instanceof ApiError) || error.status !== 404) return explain(error);
  const found = REASONS.find(([words]) => words.test(error.message));
  return found ? t(found[1]) : explain(error);
}
