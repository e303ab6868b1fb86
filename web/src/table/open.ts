/** Opening the attribute table from elsewhere; its program is loaded when it is first opened. */

export interface TableOptions {
  /** Rows that are listed, in CQL2 text. */
  filter?: string;
  /** Area in which rows are listed. */
  geometry?: GeoJSON.Geometry;
}

type Open = (layer: string, options: TableOptions) => void;

let open: Open = () => undefined;

/** Say what opens the table; called once where the page is put together. */
export function setTable(opener: Open): void {
  open = opener;
}

/** Open the attribute table of a layer below the map. */
export const openTable = (layer: string, options: TableOptions = {}): void => open(layer, options);
