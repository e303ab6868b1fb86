import type { PlanningKey } from "./planning-vi";

export const planningEn: Record<PlanningKey, string> = {
  "plan.compare": "Compare",
  "plan.area": "Area",
  "plan.parcel": "Parcel",
  "plan.projects": "Projects",
  "plan.edits": "What if",
};
