/** Saving drafts, taking edits back, and what the page says of it. */

import type { Map as MapView } from "maplibre-gl";
import { ApiError } from "../api";
import { explain, say, t } from "../i18n";
import { notify } from "../panels/notice";
import { type EditOutcome, type Finding, readSchema, sendEdits, takeBack } from "./api";
import { tellWritten } from "./changed";
import { type Draft, dropDrafts, writeEdit } from "./drafts";

const STALE = 412;
const REJECTED = 422;

/** What became of a saving: it is done, somebody was faster, or rules stand against it. */
export type Saved =
  | { kind: "done"; outcome: EditOutcome }
  | { kind: "stale" }
  | { kind: "rejected"; findings: Finding[] };

async function send(drafts: readonly Draft[], reason: string, check: boolean): Promise<Saved> {
  const edits = await Promise.all(drafts.map(async (draft) => writeEdit(draft, await readSchema(draft.layer))));
  try {
    return { kind: "done", outcome: await sendEdits(edits, reason, check) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === STALE) return { kind: "stale" };
    const findings = error.problem["findings"];
    if (error.status === REJECTED && Array.isArray(findings))
      return { kind: "rejected", findings: findings as Finding[] };
    throw error;
  }
}

/** Ask what would come of drafts, without writing. */
export const checkDrafts = (drafts: readonly Draft[], reason: string): Promise<Saved> => send(drafts, reason, true);

/** Save drafts as one edit; the page follows, and the edit can be taken back at once. */
export async function saveDrafts(map: MapView, drafts: readonly Draft[], reason: string): Promise<Saved> {
  const saved = await send(drafts, reason, false);
  if (saved.kind !== "done") return saved;
  dropDrafts(drafts);
  const { edit, results } = saved.outcome;
  await tellWritten(map, [...new Set(results.map(({ collection }) => collection))]);
  notifyEdit(map, edit, t("work.saved", { count: results.length }));
  return saved;
}

/** Say that something was written, with a button that takes it back. */
export function notifyEdit(map: MapView, edit: number, words: string): void {
  notify(words, { label: t("work.undo"), run: () => void undo(map, edit) });
}

async function undo(map: MapView, edit: number): Promise<void> {
  try {
    await undoEdit(map, edit, t("work.undoReason", { edit }));
  } catch (error) {
    notify(explain(error));
  }
}

/** Take an edit back; what that did can be taken back again. */
export async function undoEdit(map: MapView, edit: number, reason: string): Promise<void> {
  const outcome = await takeBack(edit, reason);
  await tellWritten(map, [...new Set(outcome.results.map(({ collection }) => collection))]);
  notifyEdit(map, outcome.edit, t("work.undone", { edit }));
}

/** Say a finding in words: why, and what would help. */
export const findingWords = (finding: Finding): string => {
  const hint = say(finding.hint);
  return hint ? `${say(finding.reason)} – ${hint}` : say(finding.reason);
};
