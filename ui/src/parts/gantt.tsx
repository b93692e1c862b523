// When each task waited, ran and paused. Widths are shares of the run's time, so it fits any screen.

import { useMemo } from "preact/hooks";
import type { RunDetail, RunEvent } from "../api/types";
import { at } from "../api/client";
import { duration } from "../lib/format";
import { type Bar, type Chart, type Row, chart, step } from "../lib/gantt";
import { lookOf } from "../lib/status";
import { useNow } from "../lib/time";
import { StatusIcon } from "./status";

export function Gantt({ run, events }: { run: RunDetail; events: RunEvent[] }) {
  const goesOn = run.ended_at === null && run.status === "running";
  const now = useNow(goesOn ? 1000 : null);
  const drawn = useMemo(() => chart(run, events, goesOn ? now.getTime() : Date.now()), [run, events, goesOn ? now.getTime() : 0]);
  return (
    <div class="gantt" role="region" aria-label="When each task ran" tabIndex={0}>
      <Axis of={drawn} />
      <ol>
        {drawn.rows.map((row) => (
          <GanttRow key={row.task} row={row} of={drawn} run={run.run} />
        ))}
      </ol>
      <p class="legend muted">
        <span class="swatch queued" /> queued <span class="swatch attempt tone-good" /> attempt <span class="swatch pause" /> waits to retry
      </p>
    </div>
  );
}

function Axis({ of }: { of: Chart }) {
  const span = of.to - of.from;
  const every = step(span, 6);
  const ticks = Array.from({ length: Math.floor(span / every) + 1 }, (_, i) => i * every);
  return (
    <div class="gantt-axis" aria-hidden="true">
      <div class="gantt-name" />
      <div class="gantt-track">
        {ticks.map((tick) => (
          <span key={tick} class="num" style={{ left: `${(tick / span) * 100}%` }}>
            {tick === 0 ? "0" : duration(tick / 1000).replace(".0 s", " s")}
          </span>
        ))}
      </div>
    </div>
  );
}

function GanttRow({ row, of, run }: { row: Row; of: Chart; run: string }) {
  const total = row.bars.filter((bar) => bar.kind === "attempt").reduce((sum, bar) => sum + bar.to - bar.from, 0) / 1000;
  return (
    <li>
      <a class="gantt-name" href={at`/runs/${run}/tasks/${row.task}`} title={`${row.task} (${row.stage})`}>
        <StatusIcon status={row.state} />
        <span>{row.task}</span>
      </a>
      <div class="gantt-track">
        <span class="sr-only">{row.bars.map(describe).join("; ") || "has not run"}</span>
        {row.bars.map((bar, i) => (
          <span key={i} class={`gantt-bar ${bar.kind} tone-${lookOf(bar.state).tone}`} title={describe(bar)} style={geometry(bar, of)} />
        ))}
        {total > 0 && (
          <span class="gantt-total num muted" aria-hidden="true" style={beside(row.bars, of)}>
            {duration(total)}
          </span>
        )}
      </div>
    </li>
  );
}

function share(time: number, of: Chart): number {
  return ((time - of.from) / (of.to - of.from)) * 100;
}

function geometry(bar: Bar, of: Chart) {
  return { left: `${share(bar.from, of)}%`, width: `max(${bar.kind === "attempt" ? "3px" : "0px"}, ${share(bar.to, of) - share(bar.from, of)}%)` };
}

/** Right of the last bar, or left of the first where there is no room; else it goes without (the tooltip has it). */
function beside(bars: Bar[], of: Chart) {
  const left = share(bars[0]?.from ?? of.from, of);
  const right = share(bars.at(-1)?.to ?? of.from, of);
  if (right < 85) return { left: `calc(${right}% + 8px)` };
  return left > 20 ? { right: `calc(${100 - left}% + 8px)` } : { display: "none" };
}

function describe(bar: Bar): string {
  const time = duration((bar.to - bar.from) / 1000);
  if (bar.kind === "queued") return `queued ${time}`;
  if (bar.kind === "pause") return `waited ${time} to go on`;
  return `attempt ${bar.attempt ?? 1} ${lookOf(bar.state).word}, ${time}`;
}
