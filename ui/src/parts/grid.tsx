// Runs × tasks: a column a run, the newest on the right; a row a task. Cells carry no children, only classes, so that 5,000 of them are cheap;
// clicks and keys are handled once for all. Arrows move the focus, Enter opens the task of that run.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { at } from "../api/client";
import type { Grid, GridRun } from "../api/types";
import { duration } from "../lib/format";
import { lookOf } from "../lib/status";
import { day, useZone } from "../lib/time";
import { navigate } from "../router";

const BAR = 44;

export function GridView({ grid, pipeline }: { grid: Grid; pipeline: string }) {
  const zone = useZone();
  const runs = useMemo(() => grid.runs.toReversed(), [grid]);
  const box = useRef<HTMLDivElement>(null);
  // The newest is what one looks for.
  useEffect(() => box.current?.scrollTo({ left: box.current.scrollWidth }), [runs.length]);
  const longest = Math.max(0.001, ...runs.map((run) => run.seconds ?? 0));
  // The same rows are not compared again when something else on the page changes.
  const rows = useMemo(() => grid.tasks.map((task, row) => <TaskRow key={task} task={task} states={runs.map((run) => run.states[row] ?? null)} runs={runs} />), [grid, runs]);
  const open = (event: MouseEvent) => {
    const to = destinationOf(cellOf(event), runs);
    if (!to) return;
    if (event.metaKey || event.ctrlKey || event.button === 1) window.open(to, "_blank", "noopener");
    else if (event.button === 0) navigate(to);
  };
  const keys = (event: KeyboardEvent) => {
    const to = event.key === "Enter" ? destinationOf(cellOf(event), runs) : null;
    if (to) navigate(to);
    else move(event);
  };
  return (
    <div ref={box} class="grid-scroll" onClick={open} onAuxClick={open} onKeyDown={keys} onFocusIn={enter} onMouseOver={hint}>
      <div class="run-grid" role="grid" aria-label={`Runs of ${pipeline}`} aria-rowcount={grid.tasks.length + 1} aria-colcount={runs.length + 1} style={{ "--runs": runs.length }}>
        <div role="row" class="grid-row head">
          <div role="columnheader" class="grid-name">
            <span class="muted num">{duration(longest)}</span>
          </div>
          {runs.map((run, i) => (
            <RunHead key={run.run} run={run} date={day(new Date(run.logical_date), zone)} share={(run.seconds ?? 0) / longest} first={i === runs.length - 1} />
          ))}
        </div>
        {rows}
      </div>
    </div>
  );
}

function RunHead({ run, date, share, first }: { run: GridRun; date: string; share: number; first: boolean }) {
  const { tone, word } = lookOf(run.status);
  const label = `run ${run.run}, ${word}, ${date}, ${duration(run.seconds)}`;
  return (
    <div role="columnheader" class={`grid-run tone-${tone} is-${run.status}`} tabIndex={first ? 0 : -1}>
      <span class="sr-only">{label}</span>
      <span class="grid-bar" style={{ height: `${3 + Math.round(share * (BAR - 3))}px` }} />
    </div>
  );
}

function TaskRow({ task, states, runs }: { task: string; states: (string | null)[]; runs: GridRun[] }) {
  return (
    <div role="row" class="grid-row" data-task={task}>
      <div role="rowheader" class="grid-name" title={task}>
        {task}
      </div>
      {states.map((state, i) => {
        if (state === null) return <div key={runs[i]?.run} role="gridcell" class="grid-cell none" aria-label="not in this version" />;
        const { tone, word } = lookOf(state);
        return <div key={runs[i]?.run} role="gridcell" class={`grid-cell tone-${tone} is-${state}`} aria-label={word} />;
      })}
    </div>
  );
}

function cellOf(event: Event): HTMLElement | null {
  return (event.target as Element).closest<HTMLElement>("[role=gridcell], .grid-run");
}

/** Where a cell leads: by its column to a run, by its row to a task of it. */
function destinationOf(cell: HTMLElement | null, runs: GridRun[]): string | null {
  const row = cell?.parentElement;
  if (!cell || !row || cell.classList.contains("none")) return null;
  const run = runs[[...row.children].indexOf(cell) - 1];
  if (!run) return null;
  return row.dataset.task === undefined ? at`/runs/${run.run}` : at`/runs/${run.run}/tasks/${row.dataset.task}`;
}

/** Tooltips when they are wanted: 5,000 titles would cost more than the cells. */
function hint(event: MouseEvent): void {
  const cell = cellOf(event);
  const label = cell?.getAttribute("aria-label") ?? cell?.textContent;
  const task = cell?.parentElement?.dataset.task;
  if (cell && label && !cell.title) cell.title = task === undefined ? label : `${task}: ${label}`;
}

/** Where the focus is, it stays reachable by Tab. */
function enter(event: FocusEvent): void {
  const cell = cellOf(event);
  if (!cell) return;
  const grid = cell.closest("[role=grid]");
  for (const one of grid?.querySelectorAll<HTMLElement>("[tabindex='0']") ?? []) one.tabIndex = -1;
  cell.tabIndex = 0;
}

function move(event: KeyboardEvent): void {
  const cell = cellOf(event);
  const row = cell?.parentElement;
  if (!cell || !row) return;
  const column = [...row.children].indexOf(cell);
  const target = destination(event, row, column);
  if (!target) return;
  event.preventDefault();
  // Cells become focusable when they are reached: an attribute on each of 5,000 has its price.
  target.tabIndex = -1;
  target.focus();
  target.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function destination(event: KeyboardEvent, row: Element, column: number): HTMLElement | null {
  const rows = [...(row.parentElement?.children ?? [])];
  const line = rows.indexOf(row);
  const pick = (to: Element | undefined, place: number) => (to && place >= 1 ? ((to.children[place] as HTMLElement | undefined) ?? null) : null);
  switch (event.key) {
    case "ArrowRight":
      return pick(row, column + 1);
    case "ArrowLeft":
      return pick(row, column - 1);
    case "ArrowDown":
      return pick(rows[line + 1], column);
    case "ArrowUp":
      return pick(rows[line - 1], column);
    case "Home":
      return pick(event.ctrlKey ? rows[0] : row, 1);
    case "End":
      return pick(event.ctrlKey ? rows.at(-1) : row, row.children.length - 1);
    default:
      return null;
  }
}
