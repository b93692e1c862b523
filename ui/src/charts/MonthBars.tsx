// Rows by month as bars over years, drawn as SVG.
//
// One bar is told at a time: under the pointer, or by the keyboard, for which the chart is a slider over its months.

import { useState } from "preact/hooks";
import { whole } from "../lib/figures";
import { type MonthRows, type PeriodBar, periods, ticksTo } from "./bars";
import { step } from "./model";
import "./charts.css";
import { useWidth } from "./width";

const HEIGHT = 150;
const LEFT = 52;
const BOTTOM = 22;
const TOP = 8;

export function MonthBars({ months, title }: { months: MonthRows[]; title: string }) {
  const bars = periods(months);
  const [host, width] = useWidth<HTMLDivElement>(640);
  const [at, setAt] = useState<number | null>(null);
  if (bars.length === 0) return null;
  const ticks = ticksTo(Math.max(...bars.map((bar) => bar.rows)), 3);
  const high = ticks.at(-1) ?? 1;
  const inner = Math.max(60, width - LEFT - 8);
  const pitch = inner / bars.length;
  const y = (rows: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - rows / high);
  const shown = at ?? bars.length - 1;
  const told = bars[shown];
  const words = told ? `${told.label}: ${whole(told.rows)} rows` : "";
  const move = (event: KeyboardEvent) => {
    const next = step(event.key, shown, bars.length);
    if (next === null) return;
    event.preventDefault();
    setAt(next);
  };
  const point = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const left = event.currentTarget.getBoundingClientRect().left;
    const index = Math.floor((event.clientX - left - LEFT) / pitch);
    setAt(index >= 0 && index < bars.length ? index : null);
  };
  return (
    <figure class="chart">
      <figcaption class="chart-title">{title}</figcaption>
      <div
        ref={host}
        class="chart-canvas"
        role="slider"
        tabIndex={0}
        aria-label={title}
        aria-valuemin={1}
        aria-valuemax={bars.length}
        aria-valuenow={shown + 1}
        aria-valuetext={words}
        onKeyDown={move}
        onBlur={() => setAt(null)}
      >
        <svg class="bars" width={width} height={HEIGHT} aria-hidden="true" onPointerMove={point} onPointerLeave={() => setAt(null)}>
          {ticks.map((tick) => (
            <g key={tick}>
              <line class="bars-grid" x1={LEFT} x2={LEFT + inner} y1={y(tick)} y2={y(tick)} />
              <text class="bars-label bars-label-left" x={LEFT - 6} y={y(tick) + 4}>
                {whole(tick)}
              </text>
            </g>
          ))}
          {bars.map((bar, index) => (
            <rect
              key={bar.label}
              class={index === at ? "bars-bar bars-bar-told" : "bars-bar"}
              x={LEFT + index * pitch + (pitch > 4 ? 0.5 : 0)}
              width={Math.max(0.75, pitch - (pitch > 4 ? 1 : 0))}
              y={y(bar.rows)}
              height={bar.rows > 0 ? Math.max(1, y(0) - y(bar.rows)) : 0}
            />
          ))}
          {labels(bars, inner).map(({ index, text }) => (
            <text key={text + index} class="bars-label" x={LEFT + (index + 0.5) * pitch} y={HEIGHT - 6}>
              {text}
            </text>
          ))}
        </svg>
      </div>
      <p class="chart-legend" aria-hidden="true">
        {words}
      </p>
    </figure>
  );
}

/** What stands below the bars, as much as fits: years at their first month; months where there are few. */
function labels(bars: PeriodBar[], width: number): { index: number; text: string }[] {
  const most = Math.max(1, Math.floor(width / 52));
  const all = bars.map((bar, index) => ({ index, text: bar.label }));
  if (bars.length <= 12) return all.filter((_, place) => place % Math.ceil(bars.length / most) === 0);
  const years = all.filter(({ index }) => bars[index]?.month === null || bars[index]?.month === 1).map(({ index }) => ({ index, text: String(bars[index]?.year) }));
  return years.filter((_, place) => place % Math.ceil(years.length / most) === 0);
}
