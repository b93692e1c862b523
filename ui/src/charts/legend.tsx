// What stands below a chart: the values at a point, and all of them as a table.

import { type Column, Table } from "../parts/table";
import type { Mark, Series, Threshold, Tone } from "./model";

/** A short piece of a series' line with its marker, as the chart draws it. */
export function Swatch({ tone }: { tone: Tone }) {
  return (
    <svg class={`key key-${tone}`} width="26" height="12" viewBox="0 0 26 12" aria-hidden="true">
      <line x1="1" y1="6" x2="25" y2="6" />
      {tone === "second" && <rect x="9.5" y="2.5" width="7" height="7" />}
      {tone === "third" && <path d="M13 1.5 17.5 6 13 10.5 8.5 6Z" />}
      {(tone === "first" || tone === "muted") && <circle cx="13" cy="6" r="3.5" />}
    </svg>
  );
}

/** The values at point `at`. */
export function Legend({ name, series, marks, at }: { name: string; series: Series[]; marks: Mark[]; at: number }) {
  return (
    <div class="chart-legend" aria-hidden="true">
      <span class="muted">{name}</span>
      {series.map((one) => (
        <span class="chart-legend-item" key={one.label}>
          <Swatch tone={one.tone} /> {one.label} <b>{valueAt(one, at)}</b>
        </span>
      ))}
      {marks.map((mark, place) =>
        mark.index === at ? (
          <span class="chart-legend-item" key={place}>
            {mark.symbol} {mark.label}
          </span>
        ) : null,
      )}
    </div>
  );
}

function valueAt(series: Series, index: number): string {
  const value = series.values[index];
  return value == null ? "–" : series.format(value);
}

interface FiguresProps {
  /** What the chart shows; the table's caption. */
  title: string;
  /** Head of the first column. */
  heading: string;
  name: (index: number) => string;
  series: Series[];
  marks: Mark[];
  thresholds: Threshold[];
  size: number;
}

/** The chart as a table, folded, the newest first. */
export function FiguresTable({ title, heading, name, series, marks, thresholds, size }: FiguresProps) {
  const rows = Array.from({ length: size }, (_, place) => size - 1 - place);
  const held = thresholds.map((one) => `${one.label} ${one.value}`).join(", ");
  const columns: Column<number>[] = [
    { name: heading, cell: name, by: (index) => index },
    ...series.map((one) => ({ name: one.label, cell: (index: number) => valueAt(one, index), by: (index: number) => one.values[index] ?? null, numeric: true })),
  ];
  if (marks.length > 0) {
    const happened = (index: number) => marks.filter((mark) => mark.index === index).map((mark) => mark.label);
    columns.push({ name: "What happened", cell: (index) => happened(index).join(", ") });
  }
  return (
    <details class="chart-figures">
      <summary>Figures</summary>
      {held && <p class="muted">{held}</p>}
      <Table caption={title} columns={columns} rows={rows} rowKey={(index) => index} />
    </details>
  );
}
