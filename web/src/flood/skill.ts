/** How far forecasts of a gauge were off: in plain words, and by lead time. */

import { type Child, h } from "../dom";
import { formatNumber, formatShare } from "../format";
import { t } from "../i18n";
import { table } from "../panels/table";
import type { LeadSkill, Outlook, Skill } from "./reading";

const SPOKEN_HOURS = 6;
/** With fewer leads than these that were verified, those of the record are told too. */
const ENOUGH_LEADS = 4;
/** A share of fewer cases says nothing about the band. */
const ENOUGH_CASES = 20;
/** Share of stages that the band of 10–90 % should hold. */
const NOMINAL = 0.8;

const centimetres = (metres: number): string => t("desk.cm", { value: formatNumber(metres * 100, 0) });

/** A bar as long as a share of the largest, with its words beside it. */
function bar(share: number, words: string): HTMLElement {
  return h(
    "span",
    { class: "desk-bar" },
    h("span", { class: "desk-bar-fill", style: `--share:${(100 * Math.min(share, 1)).toFixed(1)}%` }),
    h("span", {}, words),
  );
}

/** Write how many warnings were right, missed, false; a dash where the level was neither told nor reached. */
function sayWarned({ warned }: LeadSkill): string {
  if (!warned || warned.hits + warned.misses + warned.false_alarms === 0) return "–";
  return t("desk.hitsMisses", {
    hits: formatNumber(warned.hits, 0),
    misses: formatNumber(warned.misses, 0),
    false: formatNumber(warned.false_alarms, 0),
  });
}

function leadRows(leads: readonly LeadSkill[]): Child[][] {
  const worst = Math.max(...leads.map((lead) => lead.rmse), 0.01);
  return leads.map((lead) => [
    t("desk.leadHours", { hours: formatNumber(lead.lead_hours, 0) }),
    bar(lead.rmse / worst, centimetres(lead.rmse)),
    formatShare(lead.inside),
    sayWarned(lead),
  ]);
}

/** Say in sentences how good the forecasts were. */
export function saySkill(skill: Skill): string[] {
  const spoken =
    skill.leads.find((lead) => lead.lead_hours === SPOKEN_HOURS) ?? skill.leads[Math.floor(skill.leads.length / 2)];
  if (!spoken) return [];
  const said = [
    t("desk.usualError", {
      hours: formatNumber(spoken.lead_hours, 0),
      error: centimetres(spoken.rmse),
      count: formatNumber(spoken.count, 0),
    }),
  ];
  if (spoken.count >= ENOUGH_CASES)
    said.push(
      t(
        Math.abs(spoken.inside - NOMINAL) <= 0.1
          ? "desk.bandRight"
          : spoken.inside < NOMINAL
            ? "desk.bandNarrow"
            : "desk.bandWide",
        {
          share: formatShare(spoken.inside),
        },
      ),
    );
  if (spoken.rmse_persistence !== null && spoken.rmse_persistence > 0)
    said.push(
      t("desk.better", { error: centimetres(spoken.rmse_persistence), hours: formatNumber(spoken.lead_hours, 0) }),
    );
  if (skill.crossings > 0 && skill.first_right_hours !== null)
    said.push(
      t("desk.firstRight", {
        count: formatNumber(skill.crossings, 0),
        hours: formatNumber(skill.first_right_hours, 0),
      }),
    );
  return said;
}

/** What the model missed by on parts of the record it had not seen: all there is before forecasts can be verified. */
function expectedPart(outlook: Outlook): HTMLElement | null {
  const leads = Object.entries(outlook.skill).flatMap(([name, { rmse }]) =>
    typeof rmse === "number" ? [{ hours: Number.parseInt(name, 10), rmse }] : [],
  );
  if (leads.length === 0) return null;
  leads.sort((a, b) => a.hours - b.hours);
  const worst = Math.max(...leads.map((lead) => lead.rmse), 0.01);
  const rows = leads.map((lead): Child[] => [
    t("desk.leadHours", { hours: formatNumber(lead.hours, 0) }),
    bar(lead.rmse / worst, centimetres(lead.rmse)),
  ]);
  return h(
    "div",
    {},
    h("p", { class: "soft note" }, t("desk.skillExpected")),
    table([t("desk.lead"), t("desk.error")], rows),
  );
}

/** Build the part on past skill. */
export function skillPart(skill: Skill | null, outlook: Outlook): HTMLElement {
  const leads = skill?.leads ?? [];
  if (!skill || leads.length === 0)
    return h("div", {}, h("p", { class: "soft" }, t("desk.noSkill")), expectedPart(outlook));
  const headings = [t("desk.lead"), t("desk.error"), t("desk.inside"), t("desk.warned")];
  return h(
    "div",
    {},
    h("ul", { class: "desk-said" }, ...saySkill(skill).map((line) => h("li", {}, line))),
    table(headings, leadRows(leads)),
    h("p", { class: "soft note" }, t("desk.warnedHint")),
    leads.length < ENOUGH_LEADS ? expectedPart(outlook) : null,
    h(
      "a",
      {
        href: `/verification?datastream=${encodeURIComponent(outlook.datastream_id)}`,
        target: "_blank",
        rel: "noopener",
      },
      t("desk.verification"),
    ),
  );
}
