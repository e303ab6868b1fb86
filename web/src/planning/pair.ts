/** What is compared: two moments of the city or two runs of a flood, and how they are looked at. */

import { makeSlice } from "../slices";

/** A moment of the layers (null: now), or the water of a run. */
export type Side = { kind: "date"; at: string | null } | { kind: "run"; run: string };
export type Look = "swipe" | "beside" | "list";

export interface Pair {
  left: Side;
  right: Side;
  /** Raster layer of the runs that is drawn, and the step of its series. */
  product: string;
  step: number;
  look: Look;
  /** Where the handle stands, 0–100 % from the left. */
  share: number;
}

const LOOKS: readonly Look[] = ["swipe", "beside", "list"];
const NOW: Side = { kind: "date", at: null };
export const FIRST_PAIR: Pair = {
  left: NOW,
  right: NOW,
  product: "flood_depth_max",
  step: 0,
  look: "swipe",
  share: 50,
};

function readSide(text: string | undefined): Side {
  if (text?.startsWith("run ")) return { kind: "run", run: text.slice(4) };
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? NOW : { kind: "date", at: `${date.toISOString().slice(0, 19)}Z` };
}

const writeSide = (side: Side): string => (side.kind === "run" ? `run ${side.run}` : (side.at ?? "now"));

const clamp = (value: number, most: number): number => Math.min(Math.max(Math.round(value), 0), most);

export const pair = makeSlice<Pair>(
  "pair",
  (text) => {
    if (!text) return FIRST_PAIR;
    const [left, right, product, step, look, share] = text.split(",");
    return {
      left: readSide(left),
      right: readSide(right),
      product: product && /^\w+$/.test(product) ? product : FIRST_PAIR.product,
      step: clamp(Number(step) || 0, 1000),
      look: LOOKS.find((one) => one === look) ?? "swipe",
      share: clamp(Number(share ?? 50), 100),
    };
  },
  (value) =>
    isTwo(value)
      ? [writeSide(value.left), writeSide(value.right), value.product, value.step, value.look, value.share].join(",")
      : null,
);

/** Whether there are two different things to compare. */
export const isTwo = ({ left, right }: Pair): boolean => writeSide(left) !== writeSide(right);

export const changePair = (change: Partial<Pair>): void => pair.set({ ...pair.get(), ...change });
