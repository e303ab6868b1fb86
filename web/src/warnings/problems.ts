/** What stands against a message, in plain words and at the field it is about. */

import { ApiError } from "../api";
import { explain, t } from "../i18n";
import type { Policy, Problem } from "./api";
import { refusalOf } from "./marks";

/** The identifier of the message that already warns a ward, undefined where that is not the problem. */
export const otherMessage = ({ detail }: Problem): string | undefined => /^'([^']+)' already warns/.exec(detail)?.[1];

/** Say a problem in the chosen language. */
export function sayProblem(problem: Problem, policy: Policy): string {
  const { member, detail, hint } = problem;
  if (member === "status") return refusalOf(policy, "Actual") ?? detail;
  if (otherMessage(problem)) return t("warning.alreadyWarned");
  if (/before it is sent/.test(detail)) return t("warning.tooEarly");
  if (/lasts until/.test(detail)) return t("warning.tooLong", { days: policy.longest_hours / 24 });
  if (/no longer open/.test(detail)) return t("warning.chainClosed");
  return hint ? `${detail} (${hint})` : detail;
}

/** Return what a refused request says as a problem of the member that it names. */
export function readRefusal(error: unknown): Problem {
  const detail = explain(error);
  if (!(error instanceof ApiError)) return { member: "", detail, hint: null };
  const named = /(?:^|\.)warning\.(\w+)/.exec(error.message)?.[1];
  const ward = /\bward\b/.test(error.message) ? "wards" : "";
  return { member: named ?? ward, detail: named || ward ? error.message : detail, hint: error.hint ?? null };
}
