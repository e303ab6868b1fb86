import type { DeskKey } from "./desk-vi";

export const deskEn: Record<DeskKey, string> = {
  "desk.now": "Now",
  "desk.water": "Flood maps",
  "desk.difference": "Difference",
  "desk.access": "Ways out",
  "desk.warnings": "Warnings",
  "desk.report": "Report",
};
