import type { AlarmsKey } from "./alarms-vi";

export const alarmsEn: Record<AlarmsKey, string> = {
  "duty.list": "List",
  "duty.statistics": "Statistics",
  "duty.rules": "Rules",
};
