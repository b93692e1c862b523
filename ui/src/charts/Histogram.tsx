// Shares of ratings as bars, one group or two side by side (then one filled and one outlined), with the figures as a real table.
//
// The table is what a screen reader gets; the drawing repeats it.

import { whole, share } from "../lib/figures";
import { type Column, Table } from "../parts/table";
import { ticksTo } from "./bars";
import "./charts.css";
import { useWidth } from "./width";

/** One side of a histogram. */
export interface Group {
  /** What it is: `original`. */
  label: string;
  /** One share (0 to 1) for each class. */
  shares: (number | null)[];
  /** How many rows, where that is known. */
  rows?: (number | null)[];
}

export interface HistogramProps {
  title: string;
  /** What the classes are: `Rating`. */
  heading: string;
  classes: string[];
  groups: [Group] | [Group, Group];
}

const HEIGHT = 170;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 18;

export function Histogram({ title, heading, classes, groups }: HistogramProps) {
  const [host, width] = useWidth<HTMLDivElement>(360);
  const all = groups.flatMap((group) => group.shares).filter((value): value is number => value != null);
  const ticks = ticksTo(Math.max(0, ...all), 4);
  const high = ticks.at(-1) ?? 1;
  const inner = Math.max(60, width - LEFT - 8);
  const pitch = inner / Math.max(1, classes.length);
  const bar = Math.min(46, (pitch * 0.72) / groups.length);
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / high);
  const every = Math.ceil(classes.length / Math.max(1, Math.floor(inner / 30)));
  return (
    <figure class="chart">
      <figcaption class="chart-title">{title}</figcaption>
      {groups.length > 1 && (
        <p class="chart-legend" aria-hidden="true">
          {groups.map((group, place) => (
            <span class="chart-legend-item" key={group.label}>
              <svg class="key" width="14" height="12" viewBox="0 0 14 12">
                <rect class={`hist-bar hist-bar-${place}`} x="1" y="1" width="12" height="10" />
              </svg>{" "}
              {group.label}
            </span>
          ))}
        </p>
      )}
      <div ref={host}>
        <svg class="bars" width={width} height={HEIGHT} aria-hidden="true">
          {ticks.map((tick) => (
            <g key={tick}>
              <line class="bars-grid" x1={LEFT} x2={LEFT + inner} y1={y(tick)} y2={y(tick)} />
              <text class="bars-label bars-label-left" x={LEFT - 6} y={y(tick) + 4}>
                {share(tick, high < 0.05 ? 1 : 0)}
              </text>
            </g>
          ))}
          {classes.map((name, place) => {
            const middle = LEFT + (place + 0.5) * pitch;
            return (
              <g key={name}>
                {groups.map((group, side) => {
                  const value = group.shares[place] ?? 0;
                  return (
                    <rect
                      key={group.label}
                      class={`hist-bar hist-bar-${side}`}
                      x={middle - (bar * groups.length) / 2 + side * bar + 1}
                      width={Math.max(1, bar - 2)}
                      y={y(value)}
                      height={Math.max(0, y(0) - y(value))}
                    />
                  );
                })}
                {place % every === 0 && (
                  <text class="bars-label" x={middle} y={HEIGHT - 6}>
                    {name}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
      </div>
      <details class="chart-figures">
        <summary>Figures</summary>
        <Table caption={title} columns={columns(heading, classes, groups)} rows={classes.map((_, place) => place)} rowKey={(place) => place} />
      </details>
    </figure>
  );
}

function columns(heading: string, classes: string[], groups: Group[]): Column<number>[] {
  return [
    { name: heading, cell: (place) => classes[place] },
    ...groups.map((group) => ({
      name: group.label,
      numeric: true,
      by: (place: number) => group.shares[place] ?? null,
      cell: (place: number) => (
        <>
          {group.rows && <span class="muted">{whole(group.rows[place])} </span>}
          {share(group.shares[place])}
        </>
      ),
    })),
  ];
}
