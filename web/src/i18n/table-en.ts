import type { TableKey } from "./table-vi";

export const tableEn: Record<TableKey, string> = {};
