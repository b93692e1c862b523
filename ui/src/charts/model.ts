// What a line chart is made of, and the pure parts of drawing it: where the axes end, what a point is called, the same as a table.
//
// A chart never relies on colour: each series has a marker and a dash of its own, a threshold is labelled, a mark has a symbol.

/** How a series is drawn; each has a colour, a dash and a marker. */
export type Tone = "first" | "second" | "third" | "muted";

/** A line. */
export interface Series {
  /** What it is, for the legend. */
  label: string;
  /** One value for each point of the x axis; none leaves a gap. */
  values: (number | null)[];
  /** How it is drawn. */
  tone: Tone;
  /** The value as text. */
  format: (value: number) => string;
}

/** A level that a series is held against. */
export interface Threshold {
  /** What it is: `threshold`. */
  label: string;
  /** Where. */
  value: number;
}

/** Something that happened at a point. */
export interface Mark {
  /** The point. */
  index: number;
  /** What happened: `promoted`. */
  label: string;
  /** The symbol at the top of its line. */
  symbol: "▲" | "◆" | "↺";
}

/** The x axis: instants in milliseconds, or things in their order. */
export type XAxis = { kind: "time"; at: number[] } | { kind: "order"; labels: string[] };

/** How many points the axis has. */
export function length(x: XAxis): number {
  return x.kind === "time" ? x.at.length : x.labels.length;
}

/** The positions of the points: seconds, as uPlot counts time, or 0, 1, 2, … */
export function positions(x: XAxis): number[] {
  return x.kind === "time" ? x.at.map((at) => at / 1000) : x.labels.map((_, index) => index);
}

/** The range of the y axis: all values and thresholds with some air; from 0 where that is near. */
export function range(series: Series[], thresholds: Threshold[]): [number, number] {
  const all = [...series.flatMap((one) => one.values), ...thresholds.map((one) => one.value)].filter(
    (value): value is number => value != null && Number.isFinite(value),
  );
  if (all.length === 0) return [0, 1];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const air = (high - low || Math.abs(high) || 1) * 0.12;
  // A chart whose values reach down to a quarter of its height from 0 shows 0.
  const bottom = low >= 0 && low <= high * 0.35 ? 0 : low - air;
  return [bottom, high + air];
}

/** What is at a point, in words: what a screen reader says there. */
export function describe(name: string, series: Series[], marks: Mark[], index: number): string {
  const values = series.map((one) => {
    const value = one.values[index];
    return `${one.label} ${value == null ? "none" : one.format(value)}`;
  });
  const happened = marks.filter((mark) => mark.index === index).map((mark) => mark.label);
  return [name, ...values, ...happened].join(", ");
}

/** Where a key leads from `index` among `size` points; none if the key means nothing here. */
export function step(key: string, index: number, size: number): number | null {
  const to: Record<string, number> = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: size - 1, PageUp: index - 10, PageDown: index + 10 };
  const next = to[key];
  return next === undefined || size === 0 ? null : Math.min(Math.max(next, 0), size - 1);
}

/** At most `most` of the places 0 … size - 1, evenly, the last always: which labels of an ordered axis are written. */
export function labelled(size: number, most: number): number[] {
  if (size <= 0 || most <= 0) return [];
  const every = Math.max(1, Math.ceil(size / most));
  const places: number[] = [];
  for (let place = size - 1; place >= 0; place -= every) places.unshift(place);
  return places;
}
