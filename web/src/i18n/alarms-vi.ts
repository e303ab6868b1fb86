export const alarmsVi = {
  "duty.list": "Danh sách",
  "duty.statistics": "Thống kê",
  "duty.rules": "Quy tắc",
};

export type AlarmsKey = keyof typeof alarmsVi;
