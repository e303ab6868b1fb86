export const warningsVi = {};

export type WarningsKey = keyof typeof warningsVi;
