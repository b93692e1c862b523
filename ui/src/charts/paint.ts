// The parts of a line chart that uPlot draws on its canvas: lines with markers, thresholds, marks.
//
// Colours are read from the style sheet when a chart is drawn, so that it follows the theme.

import type uPlot from "uplot";
import type { Mark, Series, Threshold, Tone } from "./model";

/** Colours of a chart, from the custom properties of the page. */
export interface Palette {
  tones: Record<Tone, string>;
  ink: string;
  soft: string;
  grid: string;
  threshold: string;
  surface: string;
}

/** Reads the colours that hold at `element` now. */
export function palette(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim() || "#888";
  return {
    tones: { first: read("--accent"), second: read("--warn"), third: read("--good"), muted: read("--quiet") },
    ink: read("--text"),
    soft: read("--muted"),
    grid: read("--line"),
    threshold: read("--bad"),
    surface: read("--surface"),
  };
}

/** The dash of a series, in CSS pixels: told apart without colours. */
export const DASHES: Record<Tone, number[]> = { first: [], second: [6, 4], third: [2, 3], muted: [1, 3] };

const SIZE = 3.5;

/** Draws the marker of a series around (x, y): a circle, a square, a diamond. */
export function marker(context: CanvasRenderingContext2D, tone: Tone, x: number, y: number, ratio: number): void {
  const size = SIZE * ratio;
  context.beginPath();
  if (tone === "first" || tone === "muted") context.arc(x, y, size, 0, 2 * Math.PI);
  else if (tone === "second") context.rect(x - size, y - size, 2 * size, 2 * size);
  else {
    context.moveTo(x, y - size * 1.3);
    context.lineTo(x + size * 1.3, y);
    context.lineTo(x, y + size * 1.3);
    context.lineTo(x - size * 1.3, y);
    context.closePath();
  }
}

/** Draws markers where there are few points, and around every point whose neighbours are missing. */
export function markers(plot: uPlot, series: Series[], colours: Palette, ratio: number): void {
  const { ctx: context, data } = plot;
  const xs = data[0];
  const dense = xs.length > 80;
  context.save();
  context.lineWidth = 1.5 * ratio;
  for (const one of series) {
    context.strokeStyle = colours.tones[one.tone];
    context.fillStyle = one.tone === "first" ? colours.tones.first : colours.surface;
    one.values.forEach((value, index) => {
      const x = xs[index];
      if (value == null || x == null) return;
      const alone = one.values[index - 1] == null && one.values[index + 1] == null;
      if (dense && !alone) return;
      marker(context, one.tone, plot.valToPos(x, "x", true), plot.valToPos(value, "y", true), ratio);
      context.fill();
      context.stroke();
    });
  }
  context.restore();
}

/** Draws a dashed level with its label at the right end, above the line. */
export function thresholds(plot: uPlot, levels: Threshold[], colours: Palette, ratio: number): void {
  const { ctx: context, bbox } = plot;
  context.save();
  context.strokeStyle = colours.threshold;
  context.fillStyle = colours.threshold;
  context.lineWidth = 1.25 * ratio;
  context.font = `${11 * ratio}px ${getComputedStyle(plot.root).fontFamily}`;
  context.textAlign = "right";
  context.textBaseline = "bottom";
  for (const level of levels) {
    const y = Math.round(plot.valToPos(level.value, "y", true)) + 0.5;
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    context.setLineDash([5 * ratio, 3 * ratio]);
    context.beginPath();
    context.moveTo(bbox.left, y);
    context.lineTo(bbox.left + bbox.width, y);
    context.stroke();
    // A halo keeps the label readable where the line crosses it.
    context.setLineDash([]);
    context.strokeStyle = colours.surface;
    context.lineWidth = 4 * ratio;
    context.strokeText(level.label, bbox.left + bbox.width - 2 * ratio, y - 2 * ratio);
    context.strokeStyle = colours.threshold;
    context.lineWidth = 1.25 * ratio;
    context.fillText(level.label, bbox.left + bbox.width - 2 * ratio, y - 2 * ratio);
  }
  context.restore();
}

/** Draws a band behind the point that the page shows more of. */
export function selection(plot: uPlot, index: number | null, colours: Palette, ratio: number): void {
  const at = index === null ? null : plot.data[0][index];
  if (at == null) return;
  const { ctx: context, bbox } = plot;
  context.save();
  context.globalAlpha = 0.16;
  context.fillStyle = colours.tones.first;
  context.fillRect(plot.valToPos(at, "x", true) - 6 * ratio, bbox.top, 12 * ratio, bbox.height);
  context.restore();
}

/** Draws what happened: a thin line at its point with its symbol on top. */
export function marks(plot: uPlot, all: Mark[], colours: Palette, ratio: number): void {
  const { ctx: context, bbox, data } = plot;
  context.save();
  context.font = `${11 * ratio}px ${getComputedStyle(plot.root).fontFamily}`;
  context.textAlign = "center";
  context.textBaseline = "bottom";
  for (const mark of all) {
    const at = data[0][mark.index];
    if (at == null) continue;
    const x = Math.round(plot.valToPos(at, "x", true)) + 0.5;
    if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) continue;
    context.strokeStyle = colours.grid;
    context.lineWidth = ratio;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(x, bbox.top);
    context.lineTo(x, bbox.top + bbox.height);
    context.stroke();
    context.fillStyle = colours.ink;
    context.fillText(mark.symbol, x, bbox.top - 1 * ratio);
  }
  context.restore();
}
