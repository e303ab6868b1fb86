/** Many rows with the same reason: a value in place of each wrong one, or all loaded again as they are. */

import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { t } from "../i18n";
import { failure, loading, textButton } from "../panels/parts";
import { type MendOutcome, type QuarantineRow, readQuarantine, retryRows } from "./api";
import { makeReasonField } from "./reason-field";
import { fieldTitle, problemWords } from "./row-words";

const MOST = 1000;
const SHOWN = 50;

/** Values of one column that stand in rows with the problem, and the rows that hold them. */
type Groups = Map<string, number[]>;

function groupRows(rows: readonly QuarantineRow[], field: string): Groups {
  const groups: Groups = new Map();
  for (const row of rows) {
    const value = String({ ...row.payload, ...row.changes }[field] ?? "");
    groups.set(value, [...(groups.get(value) ?? []), row.id]);
  }
  return groups;
}

/** Build the part for the rows that `query` finds. */
export function manyPart(query: Record<string, string>, again: () => void): HTMLElement {
  const holder = h("div", { "aria-live": "polite" });
  const open = async (): Promise<void> => {
    if (!details.open || holder.hasChildNodes()) return;
    replace(holder, loading());
    try {
      const { rows, links } = await readQuarantine({ ...query, limit: String(MOST) });
      replace(holder, form(query, rows, links.length > 0, again));
    } catch (error) {
      replace(holder, failure(error));
    }
  };
  const details = h(
    "details",
    { class: "more", ontoggle: () => void open() },
    h("summary", {}, t("work.mendMany")),
    holder,
  );
  return details;
}

function form(
  query: Record<string, string>,
  rows: readonly QuarantineRow[],
  isCut: boolean,
  again: () => void,
): HTMLElement {
  const field = query["field"] ?? "";
  // A reason names the property; the value stands in a column of the file, which may be called otherwise.
  const isColumn = rows.some((row) => field in row.payload);
  const groups = isColumn ? [...groupRows(rows, field)].sort((a, b) => b[1].length - a[1].length).slice(0, SHOWN) : [];
  const reason = makeReasonField();
  const said = h("div", { "aria-live": "polite" });
  const boxes = groups.map(([value, ids]) => ({
    ids,
    box: h("input", {
      class: "input",
      "aria-label": t("work.insteadOf", { value: value || "–" }),
      autocomplete: "off",
    }),
    words: `${value || "–"} (${formatNumber(ids.length, 0)})`,
  }));
  const run = async (bodies: Record<string, unknown>[]): Promise<void> => {
    const why = reason.read();
    if (why === null) return;
    const progress = h("progress", { max: bodies.length, value: 0, "aria-label": t("work.loadingRows") });
    replace(said, progress, loading(t("work.loadingRows")));
    try {
      const outcomes = { mended: 0, open: 0, rows: [] as MendOutcome[] };
      for (const body of bodies) {
        const { mended, open, rows: told } = await retryRows(body, why);
        outcomes.mended += mended;
        outcomes.open += open;
        outcomes.rows.push(...told);
        progress.value += 1;
      }
      replace(said, resultPart(outcomes.mended, outcomes.open, outcomes.rows, again));
    } catch (error) {
      replace(said, failure(error));
    }
  };
  const filled = (): Record<string, unknown>[] =>
    boxes
      .filter(({ box }) => box.value.trim() !== "")
      .map(({ ids, box }) => ({ ids, set: { [field]: box.value.trim() } }));
  return h(
    "div",
    { class: "form" },
    isCut ? h("p", { class: "soft" }, t("work.manyCut", { count: MOST })) : null,
    ...boxes.map(({ words, box }) => h("label", { class: "many-row" }, h("span", {}, words), box)),
    reason.element,
    said,
    h(
      "div",
      { class: "row" },
      boxes.length > 0
        ? textButton(
            t("work.mendValues"),
            () => {
              const bodies = filled();
              if (bodies.length > 0) void run(bodies);
              else replace(said, h("p", { class: "field-error" }, t("work.nothingMended")));
            },
            "button-small button-primary",
          )
        : null,
      textButton(t("work.retryAll"), () => void run([{ ids: rows.map(({ id }) => id) }]), "button-small"),
    ),
  );
}

/** What became of them; what is still wrong says why. */
function resultPart(mended: number, open: number, rows: readonly MendOutcome[], again: () => void): HTMLElement {
  const reasons = new Map<string, number>();
  for (const { layer, problems } of rows.filter(({ feature_id }) => feature_id === null))
    for (const problem of problems) {
      const said = problemWords(problem);
      const words = problem.field ? `${fieldTitle(layer, problem.field)}: ${said}` : said;
      reasons.set(words, (reasons.get(words) ?? 0) + 1);
    }
  const lines = [...reasons].map(([words, count]) =>
    h("li", { class: "finding finding-error" }, `${words} (${count})`),
  );
  return h(
    "div",
    {},
    h("p", {}, t("work.manyDone", { mended: formatNumber(mended, 0), open: formatNumber(open, 0) })),
    lines.length > 0 ? h("ul", { class: "findings" }, ...lines) : null,
    textButton(t("work.showRest"), again, "button-small"),
  );
}
