import type { ToolsKey } from "./tools-vi";

export const toolsEn: Record<ToolsKey, string> = {};
