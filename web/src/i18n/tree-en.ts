import type { TreeKey } from "./tree-vi";

export const treeEn: Record<TreeKey, string> = {};
