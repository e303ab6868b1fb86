/** The quarantine as a table that people mend in a spreadsheet; `twin quarantine load` reads it back. */

import { localPath } from "../api";
import { explain, t } from "../i18n";
import { csvText, saveText } from "../panels/csv";
import { notify } from "../panels/notice";
import { type QuarantineRow, readQuarantine } from "./api";
import { problemWords } from "./row-words";

const PAGE = "1000";
/** A table of more is better written by the command line. */
const MOST = 20_000;

/** Save all rows that a query finds, with columns that begin with an underscore saying what is wrong. */
export async function saveQuarantine(query: Record<string, string>): Promise<void> {
  notify(t("work.exporting"));
  const rows: QuarantineRow[] = [];
  let asked: Record<string, string> | null = { ...query, limit: PAGE };
  try {
    while (asked && rows.length < MOST) {
      const page = await readQuarantine(asked);
      rows.push(...page.rows);
      const next = page.links.find(({ rel }) => rel === "next")?.href;
      asked = next ? Object.fromEntries(new URLSearchParams(localPath(next).split("?")[1])) : null;
    }
  } catch (error) {
    notify(explain(error));
    return;
  }
  const names = [...new Set(rows.flatMap((row) => Object.keys({ ...row.payload, ...row.changes })))];
  const lines = rows.map((row) => {
    const held = { ...row.payload, ...row.changes };
    const said = row.problems.map((one) => (one.field ? `${one.field}: ${problemWords(one)}` : problemWords(one)));
    return [row.id, ...names.map((name) => held[name]), row.source, row.layer, row.row, said.join("; ")];
  });
  saveText("quarantine.csv", csvText([["_id", ...names, "_source", "_layer", "_row", "_reason"], ...lines]));
  notify(t("work.exported", { count: rows.length }));
}
