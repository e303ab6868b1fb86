/** Which two floods are held against each other; it lives in the link. */

import { runs } from "../data";
import { formatShortDateTime } from "../format";
import { say } from "../i18n";
import { makeSlice } from "../slices";
import type { RunShort } from "../types";

export const DIFFERENCE = "flood-difference";

export interface Differ {
  before: string | null;
  after: string | null;
}

export const differ = makeSlice<Differ>(
  "differ",
  (text) => {
    const [before, after] = (text ?? "").split(";");
    return { before: before || null, after: after || null };
  },
  ({ before, after }) => (before || after ? `${before ?? ""};${after ?? ""}` : null),
);

/** Return the finished floods that can be compared, the newest first. */
export const listFloods = (): RunShort[] =>
  (runs ?? []).filter(({ process }) => process !== DIFFERENCE).sort((a, b) => b.created.localeCompare(a.created));

export const nameRun = (run: RunShort): string =>
  `${say(run.title, run.process)} · ${formatShortDateTime(run.base_time ?? run.created)}`;

/** Return the run that drew the difference of two floods, if one did. */
export const findDifference = ({ before, after }: Differ): RunShort | undefined =>
  (runs ?? []).find(
    ({ process, inputs }) => process === DIFFERENCE && inputs?.["before"] === before && inputs?.["after"] === after,
  );
