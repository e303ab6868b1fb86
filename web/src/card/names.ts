/** What an item is called. */

import { formatProperty } from "../format";
import { getState } from "../state";
import type { Item, VectorLayer } from "../types";

/** Return the name of an item by its properties, else its class in words; null where it has neither. */
export function nameOf(properties: Item["properties"], layer: VectorLayer | undefined): string | null {
  const vietnamese = getState().lang === "vi";
  const { name, name_en, asset_name, local_name, full_address, address } = properties;
  const given = (vietnamese ? name : (name_en ?? name)) ?? asset_name ?? local_name ?? full_address ?? address;
  if (given) return String(given);
  const by = layer?.properties.find((property) => property.name === layer.by && property.codes);
  const value = by ? properties[by.name] : null;
  return by && value ? formatProperty(value, by) : null;
}
