/** The gauge that the flood desk looks at; null is the city's main one. */

import { makeSlice } from "../slices";

export const deskGauge = makeSlice<string | null>(
  "gauge",
  (text) => text,
  (value) => value,
);
