/** Words of rows that were not loaded: what a field is called, what is wrong. */

import { findVectorLayer } from "../data";
import { say } from "../i18n";
import type { RowProblem } from "./api";

/** Return the title of the property that a problem is about; a column of the file is called as it is. */
export const fieldTitle = (layer: string, field: string): string =>
  say(findVectorLayer(layer)?.properties.find(({ name }) => name === field)?.title, field);

/** Say what is wrong, and what would help. */
export function problemWords({ words, hint_words }: RowProblem): string {
  const hint = say(hint_words);
  return hint ? `${say(words)} – ${hint}` : say(words);
}
