// Bars of a Gantt chart from the rows of a run and its events: waiting in the queue, each attempt, pauses between them.

import type { RunDetail, RunEvent } from "../api/types";

export interface Bar {
  kind: "queued" | "attempt" | "pause";
  /** Of an attempt, from 1. */
  attempt: number | null;
  /** How the attempt ended; `running` if it has not. */
  state: string;
  /** Milliseconds since 1970. */
  from: number;
  to: number;
}

export interface Row {
  task: string;
  stage: string;
  state: string;
  bars: Bar[];
}

export interface Chart {
  from: number;
  to: number;
  rows: Row[];
}

/** An attempt as events tell it; event bodies name tasks by their place in the pipeline. */
interface Attempt {
  attempt: number;
  from: number;
  to: number | null;
  state: string;
}

const STATES: Record<string, string> = { stopped: "cancelled", interrupted: "lost", deferred: "deferred" };

/** Attempts by the place of their task. Later events about the same attempt win. */
export function attemptsOf(events: RunEvent[]): Map<number, Attempt[]> {
  const found = new Map<number, Attempt[]>();
  for (const { at, body } of events) {
    const event = body as { event?: string; task?: number; attempt?: number; outcome?: { outcome?: string } | null } | null;
    if (event === null || typeof event !== "object" || typeof event.task !== "number" || typeof event.attempt !== "number") continue;
    const list = found.get(event.task) ?? [];
    found.set(event.task, list);
    if (event.event === "attempt_started") list.push({ attempt: event.attempt, from: Date.parse(at), to: null, state: "running" });
    if (event.event !== "attempt_ended") continue;
    const open = list.findLast((one) => one.attempt === event.attempt && one.to === null);
    if (!open) continue;
    const outcome = event.outcome?.outcome ?? "failed";
    open.to = Date.parse(at);
    open.state = STATES[outcome] ?? outcome;
  }
  return found;
}

/** `now` in milliseconds is where bars of what goes on end. */
export function chart(run: RunDetail, events: RunEvent[], now: number): Chart {
  const time = (at: string | null) => (at === null ? null : Date.parse(at));
  const end = time(run.ended_at) ?? now;
  const attempts = attemptsOf(events);
  const rows = run.tasks.map((task, place) => {
    const found = attempts.get(place) ?? [];
    const started = time(task.started_at);
    const known: Attempt[] = found.length > 0 || started === null ? found : [{ attempt: Math.max(1, task.attempts), from: started, to: time(task.ended_at), state: task.state }];
    return { task: task.task, stage: task.stage, state: task.state, bars: bars(time(task.queued_at), known, end, task.state) };
  });
  const starts = rows.flatMap((row) => row.bars.map((bar) => bar.from));
  const from = Math.min(time(run.started_at) ?? time(run.created_at) ?? end, ...starts);
  const to = Math.max(end, from + 1, ...rows.flatMap((row) => row.bars.map((bar) => bar.to)));
  return { from, to, rows };
}

function bars(queued: number | null, attempts: Attempt[], end: number, state: string): Bar[] {
  const found: Bar[] = [];
  const bar = (kind: Bar["kind"], from: number, to: number, attempt: Attempt | null) => {
    if (to > from || kind === "attempt") found.push({ kind, from, to: Math.max(from, to), attempt: attempt?.attempt ?? null, state: attempt?.state ?? kind });
  };
  const first = attempts[0];
  // A cleared task is queued anew: its first attempts lie before that.
  if (queued !== null && (first === undefined || queued <= first.from)) bar("queued", queued, first?.from ?? (state === "queued" ? end : queued), null);
  for (const [i, one] of attempts.entries()) {
    const next = attempts[i + 1];
    const to = one.to ?? next?.from ?? end;
    bar("attempt", one.from, to, one);
    if (next) bar("pause", to, next.from, null);
    else if (state === "retrying" || state === "deferred") bar("pause", to, end, null);
  }
  return found;
}

/** Round steps for an axis of `span` milliseconds: about `wanted` of them. */
export function step(span: number, wanted: number): number {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3, 14400e3, 21600e3, 43200e3, 86400e3];
  return steps.find((one) => span / one <= wanted) ?? Math.ceil(span / wanted / 86400e3) * 86400e3;
}
