// The axes of a line chart: fine lines, small type, few labels.

import type uPlot from "uplot";
import { plain } from "../lib/figures";
import { labelled, type XAxis } from "./model";
import type { Palette } from "./paint";

/** Room above the plot for the symbols of marks, in CSS pixels. */
export const SYMBOL_ROOM = 18;

const FONT = "11px system-ui, sans-serif";
/** Width of a label of an ordered axis, in CSS pixels, about. */
const LABEL = 74;

/** Both axes; `x` decides what stands below. */
export function axes(x: XAxis, colours: Palette): uPlot.Axis[] {
  const common = { stroke: colours.soft, font: FONT, ticks: { stroke: colours.grid, width: 1, size: 4 } };
  const vertical: uPlot.Axis = {
    ...common,
    grid: { stroke: colours.grid, width: 1 },
    size: 56,
    space: 32,
    values: (_, splits) => splits.map((value) => short(value, splits)),
  };
  if (x.kind === "time") return [{ ...common, grid: { show: false }, space: 70, size: 34, values: times }, vertical];
  const splits = (plot: uPlot) => labelled(x.labels.length, Math.max(1, Math.floor((plot.width - 70) / LABEL)));
  return [
    { ...common, grid: { show: false }, size: 28, splits, values: (_, places) => places.map((place) => x.labels[place] ?? "") },
    vertical,
  ];
}

/** A value on the axis, with as many digits as the distance of two ticks needs. */
export function short(value: number, splits: number[]): string {
  if (Math.abs(value) >= 1000) return plain(value);
  const gap = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0));
  let digits = 0;
  while (digits < 6 && Math.abs(gap * 10 ** digits - Math.round(gap * 10 ** digits)) > 1e-6) digits += 1;
  return value.toFixed(digits).replace("-", "\u2212");
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const MINUTES = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const YEAR = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric" });

/** Instants as text, as coarse as their distance allows; the day where it changes. */
function times(_: uPlot, splits: number[], __: number, ___: number, gap: number): string[] {
  let day = "";
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    if (gap >= 28 * 86_400) return YEAR.format(at);
    const today = DAY.format(at);
    if (gap >= 86_400) return today;
    const clock = (gap < 60 ? CLOCK : MINUTES).format(at);
    const text = today === day ? clock : `${clock}\n${today}`;
    day = today;
    return text;
  });
}
