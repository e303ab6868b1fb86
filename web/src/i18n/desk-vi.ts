export const deskVi = {
  "desk.now": "Tình hình",
  "desk.water": "Bản đồ ngập",
  "desk.difference": "Chênh lệch",
  "desk.access": "Đường và nơi trú",
  "desk.warnings": "Cảnh báo",
  "desk.report": "Báo cáo",
};

export type DeskKey = keyof typeof deskVi;
