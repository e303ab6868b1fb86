export const treeVi = {};

export type TreeKey = keyof typeof treeVi;
