import type { WarningsKey } from "./warnings-vi";

export const warningsEn: Record<WarningsKey, string> = {};
