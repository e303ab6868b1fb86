/** A query as conditions in groups, and how it reads as CQL2. */

import { quoteText, type Test, writeTest } from "./tests";
import { propertiesOf } from "./view";

export interface Group {
  kind: "group";
  not: boolean;
  /** Whether one of the parts is enough. */
  any: boolean;
  parts: readonly Part[];
}

/** Conditions that ask of another layer what passes `where`. */
export interface Join {
  kind: "near" | "inside" | "related";
  not: boolean;
  layer: string;
  /** Of `near` [m]. */
  metres: string;
  /** Of `related`: the property of the layer asked, and that of the other one. */
  own: string;
  theirs: string;
  where: Group;
}

export type Part =
  | Group
  | Join
  | { kind: "test"; test: Test }
  | { kind: "area"; not: boolean; layer: string; id: string }
  | { kind: "shape"; not: boolean; words: string }
  | { kind: "trace"; not: boolean; id: string }
  | { kind: "raw"; text: string };

export const newGroup = (parts: readonly Part[] = [], any = false): Group => ({
  kind: "group",
  not: false,
  any,
  parts,
});

export const newJoin = (kind: Join["kind"], layer: string): Join => ({
  kind,
  not: false,
  layer,
  metres: "50",
  own: "id",
  theirs: "id",
  where: newGroup(),
});

const negate = (not: boolean, text: string): string => (not ? `NOT ${text}` : text);

function writeJoin({ kind, not, layer, metres, own, theirs, where }: Join): string | null {
  if (!layer) return null;
  const distance = Number(metres.replace(",", "."));
  if (kind === "near" && !(distance >= 0 && metres.trim() !== "")) return null;
  const first = { near: [layer, String(distance)], inside: [layer], related: [layer, own, theirs] }[kind];
  const inner = writeGroup(where, layer);
  return negate(not, `${kind}(${[...first, ...(inner ? [inner] : [])].join(", ")})`);
}

/** Return a part as CQL2 on a layer, null for one that is not complete. */
export function writePart(part: Part, layer: string): string | null {
  switch (part.kind) {
    case "group": {
      const inner = writeGroup(part, layer);
      return inner && negate(part.not, `(${inner})`);
    }
    case "test": {
      const property = propertiesOf(layer).find(({ name }) => name === part.test.name);
      return property ? writeTest(part.test, property) : null;
    }
    case "area":
      return part.id ? negate(part.not, `inside(${part.layer}, id = ${quoteText(part.id)})`) : null;
    case "shape":
      return part.words ? negate(part.not, `S_INTERSECTS(geometry, ${part.words})`) : null;
    case "trace":
      return part.id.trim() ? negate(part.not, `in_trace(${quoteText(part.id.trim())})`) : null;
    case "raw":
      return part.text.trim() ? `(${part.text.trim()})` : null;
    default:
      return writeJoin(part);
  }
}

/** Return what a group asks, without brackets around it. */
export function writeGroup({ any, parts }: Group, layer: string): string | null {
  const written = parts.map((part) => writePart(part, layer)).filter((text) => text !== null);
  return written.length > 0 ? written.join(any ? " OR " : " AND ") : null;
}

/** Return a whole query as CQL2; "" asks for everything. */
export function writeQuery(group: Group, layer: string): string {
  const inner = writeGroup(group, layer) ?? "";
  return group.not && inner ? `NOT (${inner})` : inner;
}
