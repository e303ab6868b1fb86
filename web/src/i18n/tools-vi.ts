export const toolsVi = {};

export type ToolsKey = keyof typeof toolsVi;
