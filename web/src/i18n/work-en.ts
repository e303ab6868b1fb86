import type { WorkKey } from "./work-vi";

export const workEn: Record<WorkKey, string> = {
  "job.query": "Query",
  "job.edits": "Edits",
  "job.bulk": "Bulk changes",
  "job.quarantine": "Quarantine",
  "job.orders": "Work orders",
  "job.checks": "Checks",
};
