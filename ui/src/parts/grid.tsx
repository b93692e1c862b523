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
  const runs = useMemo(() => grid.runs.toSorted((a, b) => (a.logical_date < b.logical_date ? -1 : a.logical_date > b.logical_date ? 1 : 0)), [grid]);
  const box = useRef<HTMLDivElement>(null);
  // The newest is what one looks for.
  useEffect(() => box.current?.scrollTo({ left: box.current.scrollWidth }), [runs.length]);
  const longest = Math.max(0.001, ...runs.map((run) => run.seconds ?? 0));
  const names = runs.map((run) => `${lookOf(run.status).word}, ${day(new Date(run.logical_date), zone)}`);
  return (
    <div ref={box} class="grid-scroll" onClick={open} onAuxClick={open} onKeyDown={move} onFocusIn={enter} onMouseOver={hint}>
      <div class="run-grid" role="grid" aria-label={`Runs of ${pipeline}`} aria-rowcount={grid.tasks.length + 1} aria-colcount={runs.length + 1} style={{ "--runs": runs.length }}>
        <div role="row" class="grid-row head">
          <div role="columnheader" class="grid-name">
            <span class="muted num">{duration(longest)}</span>
          </div>
          {runs.map((run, i) => (
            <RunHead key={run.run} run={run} name={names[i] ?? ""} share={(run.seconds ?? 0) / longest} first={i === runs.length - 1} />
          ))}
        </div>
        {grid.tasks.map((task, row) => (
          <div role="row" class="grid-row" key={task}>
            <div role="rowheader" class="grid-name" title={task}>
              {task}
            </div>
            {runs.map((run) => cell(run, task, run.states[row] ?? null))}
          </div>
        ))}
      </div>
    </div>
  );
}

function RunHead({ run, name, share, first }: { run: GridRun; name: string; share: number; first: boolean }) {
  const label = `run ${run.run}, ${name}, ${duration(run.seconds)}`;
  return (
    <div role="columnheader" class={`grid-run tone-${lookOf(run.status).tone} is-${run.status}`} tabIndex={first ? 0 : -1} aria-label={label} data-to={at`/runs/${run.run}`}>
      <span class="grid-bar" style={{ height: `${3 + Math.round(share * (BAR - 3))}px` }} />
    </div>
  );
}

function cell(run: GridRun, task: string, state: string | null) {
  if (state === null) return <div key={run.run} role="gridcell" class="grid-cell none" aria-label="not in this version" tabIndex={-1} />;
  const { tone, word } = lookOf(state);
  return <div key={run.run} role="gridcell" class={`grid-cell tone-${tone} is-${state}`} aria-label={`${task}: ${word}`} tabIndex={-1} data-to={at`/runs/${run.run}/tasks/${task}`} />;
}

function cellOf(event: Event): HTMLElement | null {
  return (event.target as Element).closest<HTMLElement>("[role=gridcell], [role=columnheader]");
}

function open(event: MouseEvent): void {
  const to = cellOf(event)?.dataset.to;
  if (!to) return;
  if (event.metaKey || event.ctrlKey || event.button === 1) window.open(to, "_blank", "noopener");
  else if (event.button === 0) navigate(to);
}

/** Tooltips when they are wanted: 5,000 titles would cost more than the cells. */
function hint(event: MouseEvent): void {
  const cell = cellOf(event);
  const label = cell?.getAttribute("aria-label");
  if (cell && label && !cell.title) cell.title = label;
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
  if (event.key === "Enter" && cell.dataset.to) return navigate(cell.dataset.to);
  const column = [...row.children].indexOf(cell);
  const target = destination(event, row, column);
  if (!target) return;
  event.preventDefault();
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
