export const tableVi = {};

export type TableKey = keyof typeof tableVi;
