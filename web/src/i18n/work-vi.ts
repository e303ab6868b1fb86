export const workVi = {
  "job.query": "Truy vấn",
  "job.edits": "Chỉnh sửa",
  "job.bulk": "Sửa hàng loạt",
  "job.quarantine": "Dữ liệu bị loại",
  "job.orders": "Phiếu công việc",
  "job.checks": "Kiểm tra",
};

export type WorkKey = keyof typeof workVi;
