export const planningVi = {
  "plan.compare": "So sánh",
  "plan.area": "Khu vực",
  "plan.parcel": "Thửa đất",
  "plan.projects": "Dự án",
  "plan.edits": "Phương án",
};

export type PlanningKey = keyof typeof planningVi;
