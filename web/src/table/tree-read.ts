/** Reading CQL2 text back into conditions, as far as forms can show it; what they cannot stays text. */

import type { Op, Test } from "./tests";
import { type Group, newGroup, newJoin, type Part } from "./tree";

interface Token {
  kind: "word" | "text" | "number" | "sign";
  text: string;
  at: number;
  end: number;
}

/** Thrown where the forms cannot show what is written. */
class NotShown extends Error {}

const TOKENS = /\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|([A-Za-z_]\w*)|(<>|<=|>=|[=<>(),+*/-]))/gy;
const SIGNS: Record<string, Op> = { "=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge" };

function split(text: string): Token[] {
  const tokens: Token[] = [];
  TOKENS.lastIndex = 0;
  let last = 0;
  for (let match = TOKENS.exec(text); match; match = TOKENS.exec(text)) {
    last = TOKENS.lastIndex;
    const [, quoted, number, word, sign] = match;
    const found = quoted ?? number ?? word ?? sign ?? "";
    const kind = quoted ? "text" : number ? "number" : word ? "word" : "sign";
    tokens.push({ kind, text: found, at: last - found.length, end: last });
  }
  if (text.slice(last).trim()) throw new NotShown();
  return tokens;
}

const unquote = (text: string): string => text.slice(1, -1).replaceAll("''", "'");

class Reader {
  private place = 0;
  private readonly tokens: Token[];

  constructor(private readonly text: string) {
    this.tokens = split(text);
  }

  /** Whether the next token is this word or sign; it is taken where it is. */
  private take(word: string): boolean {
    const token = this.tokens[this.place];
    if (token?.kind === "text" || token?.text.toUpperCase() !== word.toUpperCase()) return false;
    this.place++;
    return true;
  }

  private need(word: string): void {
    if (!this.take(word)) throw new NotShown();
  }

  private next(kind: Token["kind"]): string {
    const token = this.tokens[this.place++];
    if (token?.kind !== kind) throw new NotShown();
    return token.text;
  }

  private peek(ahead = 0): string {
    return this.tokens[this.place + ahead]?.text.toUpperCase() ?? "";
  }

  all(): Part {
    const part = this.either();
    if (this.place < this.tokens.length) throw new NotShown();
    return part;
  }

  private either(): Part {
    const parts = [this.every()];
    while (this.take("OR")) parts.push(this.every());
    return parts.length > 1 ? newGroup(parts, true) : parts[0]!;
  }

  private every(): Part {
    const parts = [this.single()];
    while (this.take("AND")) parts.push(this.single());
    return parts.length > 1 ? newGroup(parts) : parts[0]!;
  }

  private single(): Part {
    if (this.take("NOT")) return this.negated(this.single());
    if (this.take("(")) {
      const inner = this.either();
      this.need(")");
      return inner;
    }
    return this.peek(1) === "(" ? this.call() : this.comparison(this.next("word"));
  }

  private negated(part: Part): Part {
    if (part.kind === "test") {
      if (part.test.op === "in") return { ...part, test: { ...part.test, op: "notin" } };
      return { ...newGroup([part]), not: true };
    }
    if (part.kind === "raw") throw new NotShown();
    return { ...part, not: !part.not };
  }

  private call(): Part {
    const name = this.next("word").toLowerCase();
    this.need("(");
    if (name === "accenti") return this.words();
    if (name === "in_trace") {
      const id = unquote(this.next("text"));
      this.need(")");
      return { kind: "trace", not: false, id };
    }
    if (name === "s_intersects") return this.shape();
    if (name !== "near" && name !== "inside" && name !== "related") throw new NotShown();
    const join = newJoin(name, this.next("word"));
    if (name === "near") {
      this.need(",");
      join.metres = this.next("number");
    }
    if (name === "related") {
      this.need(",");
      join.own = this.next("word");
      this.need(",");
      join.theirs = this.next("word");
    }
    if (this.take(",")) join.where = asGroup(this.either());
    this.need(")");
    const [only] = join.where.parts;
    const isOne = name === "inside" && join.where.parts.length === 1 && !join.where.not && only?.kind === "test";
    if (isOne && only.test.name === "id" && only.test.op === "eq") {
      return { kind: "area", not: false, layer: join.layer, id: only.test.values[0] ?? "" };
    }
    return join;
  }

  /** What follows `accenti(`: a comparison of words without regard to diacritics. */
  private words(): Part {
    this.need("casei");
    this.need("(");
    const name = this.next("word");
    this.need(")");
    this.need(")");
    this.need("LIKE");
    const pattern = unquote(this.next("text"));
    const [, open, inner = "", close] = /^(%?)((?:[^%_\\]|\\.)*)(%)$/s.exec(pattern) ?? [];
    if (!close) throw new NotShown();
    const words = inner.replaceAll(/\\(.)/gs, "$1");
    return { kind: "test", test: { name, op: open ? "contains" : "starts", values: [words] } };
  }

  /** What follows `s_intersects(`: the geometry, then a shape that stays text. */
  private shape(): Part {
    if (this.next("word").toLowerCase() !== "geometry") throw new NotShown();
    this.need(",");
    const from = this.tokens[this.place]?.at ?? 0;
    let depth = 0;
    for (; this.place < this.tokens.length; this.place++) {
      const sign = this.peek();
      if (sign === "(") depth++;
      if (sign === ")" && --depth < 0) break;
    }
    const end = this.tokens[this.place]?.at ?? 0;
    this.need(")");
    return { kind: "shape", not: false, words: this.text.slice(from, end).trim() };
  }

  private value(): string {
    const token = this.tokens[this.place];
    if (token?.kind === "text") return unquote(this.next("text"));
    if (token?.kind === "number") return this.next("number");
    if (this.take("TRUE")) return "true";
    if (this.take("FALSE")) return "false";
    if (!this.take("DATE") && !this.take("TIMESTAMP")) throw new NotShown();
    this.need("(");
    const moment = unquote(this.next("text"));
    this.need(")");
    return moment;
  }

  private comparison(name: string): Part {
    const test = (op: Op, values: string[]): Part => ({ kind: "test", test: { name, op, values } satisfies Test });
    if (this.take("IS")) {
      const filled = this.take("NOT");
      this.need("NULL");
      return test(filled ? "filled" : "empty", []);
    }
    if (this.take("BETWEEN")) {
      const low = this.value();
      this.need("AND");
      return test("between", [low, this.value()]);
    }
    const not = this.take("NOT");
    if (this.take("IN")) {
      this.need("(");
      const values = [this.value()];
      while (this.take(",")) values.push(this.value());
      this.need(")");
      return test(not ? "notin" : "in", values);
    }
    const op = SIGNS[this.peek()];
    if (!op || not) throw new NotShown();
    this.place++;
    return test(op, [this.value()]);
  }
}

const asGroup = (part: Part): Group => (part.kind === "group" ? part : newGroup([part]));

/** Return the conditions of a filter; one that forms cannot show is a single condition in text. */
export function readQuery(text: string): Group {
  if (!text.trim()) return newGroup();
  try {
    return asGroup(new Reader(text).all());
  } catch (error) {
    if (error instanceof NotShown) return newGroup([{ kind: "raw", text: text.trim() }]);
    throw error;
  }
}
