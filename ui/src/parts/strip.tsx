// The last runs as a strip of cells: colour and mark say how each ended, height how long it took. The strip is one link to the grid;
// a click on a cell goes to its run.

import type { RunResult } from "../api/types";
import { at } from "../api/client";
import { duration } from "../lib/format";
import { lookOf } from "../lib/status";
import { navigate } from "../router";

const CELL = 9;
const GAP = 3;
const HEIGHT = 26;
const CELLS = 20;

export function Strip({ pipeline, results }: { pipeline: string; results: RunResult[] }) {
  if (results.length === 0) return <span class="muted">no runs yet</span>;
  const longest = Math.max(...results.map((result) => result.seconds ?? 0), 0.001);
  const click = (event: MouseEvent) => {
    const run = (event.target as Element).closest("[data-run]")?.getAttribute("data-run");
    if (!run || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    navigate(`/runs/${encodeURIComponent(run)}`);
  };
  return (
    <a class="strip" href={at`/pipelines/${pipeline}/grid`} aria-label={`Last runs of ${pipeline}: ${summary(results)}`} onClick={click}>
      <svg width={CELLS * (CELL + GAP)} height={HEIGHT} aria-hidden="true">
        {results.map((result, i) => (
          <Cell key={result.run} result={result} x={(CELLS - results.length + i) * (CELL + GAP)} height={height(result, longest)} />
        ))}
      </svg>
    </a>
  );
}

/** The square root makes short runs visible beside long ones. */
function height(result: RunResult, longest: number): number {
  return 8 + Math.round((HEIGHT - 8) * Math.sqrt((result.seconds ?? 0) / longest));
}

function Cell({ result, x, height }: { result: RunResult; x: number; height: number }) {
  const { tone, word } = lookOf(result.status);
  const y = HEIGHT - height;
  return (
    <g class={`cell tone-${tone} is-${result.status}`} data-run={result.run}>
      <title>{`${word}, ${duration(result.seconds)}`}</title>
      <rect x={x - GAP / 2} y={0} width={CELL + GAP} height={HEIGHT} fill="transparent" />
      <rect class="bar" x={x + 0.5} y={y + 0.5} width={CELL - 1} height={height - 1} rx={2} />
      <path class="mark" d={mark(result.status, x + CELL / 2, HEIGHT - 5)} />
    </g>
  );
}

/** A mark for what did not end well, so that colour is not alone. */
function mark(status: string, x: number, y: number): string {
  if (status === "failed") return `M${x - 2} ${y - 2}l4 4m0-4l-4 4`;
  if (status === "cancelled" || status === "interrupted") return `M${x - 2.5} ${y}h5`;
  return "";
}

function summary(results: RunResult[]): string {
  const counts = new Map<string, number>();
  for (const { status } of results) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, many]) => `${many} ${lookOf(status).word}`).join(", ");
}

/** The course of durations: a line, the last point marked. */
export function Sparkline({ values, label }: { values: number[]; label: string }) {
  if (values.length < 2) return <span class="muted">–</span>;
  const [width, height] = [88, 24];
  const most = Math.max(...values);
  const least = Math.min(...values);
  const span = most - least || 1;
  const points = values.map((value, i): [number, number] => [2 + (i * (width - 5)) / (values.length - 1), height - 4 - ((value - least) / span) * (height - 8)]);
  const [x, y] = points.at(-1) ?? [0, 0];
  return (
    <svg class="sparkline" width={width} height={height} role="img" aria-label={label}>
      <title>{label}</title>
      <polyline points={points.map((point) => point.map((one) => one.toFixed(1)).join(",")).join(" ")} />
      <circle cx={x} cy={y} r={2} />
    </svg>
  );
}
