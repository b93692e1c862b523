// What goes on now, and what failed since yesterday.

import { at } from "../../api/client";
import type { Overview, Progress, RunBrief } from "../../api/types";
import { duration } from "../../lib/format";
import { StatusIcon } from "../../parts/status";
import { Time } from "../../parts/time";

export function NowRunning({ overview }: { overview: Overview }) {
  const queued = Object.entries(overview.queued).filter(([, many]) => many > 0);
  return (
    <section class="card">
      <header>
        <h2>Running now</h2>
        <span class="badge">{overview.running.length}</span>
      </header>
      <ul class="now">
        {overview.running.length === 0 && <li class="muted">nothing</li>}
        {overview.running.map((task) => (
          <li key={`${task.run}/${task.task}`}>
            <StatusIcon status="running" />
            <a href={at`/runs/${task.run}/tasks/${task.task}`}>
              <strong>{task.task}</strong> <span class="muted">of {task.pipeline}</span>
            </a>
            <span class="num muted">{duration(task.seconds)}</span>
          </li>
        ))}
        {queued.map(([pipeline, many]) => (
          <li key={pipeline}>
            <StatusIcon status="queued" />
            <a href={`/runs?pipeline=${encodeURIComponent(pipeline)}&status=queued`}>
              {many} of {pipeline} <span class="muted">queued</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function ProgressBar({ progress }: { progress: Progress }) {
  const { done, total, phase, unit } = progress;
  const text = `${phase ? `${phase}: ` : ""}${done.toLocaleString("en")}${total ? ` of ${total.toLocaleString("en")}` : ""} ${unit ?? ""}`;
  return (
    <div class="progress">
      {total ? <progress value={done} max={total} aria-label={text} /> : null}
      <span class="muted num">{text}</span>
    </div>
  );
}

export function RecentFailures({ failures }: { failures: RunBrief[] }) {
  if (failures.length === 0) return null;
  return (
    <section class="card">
      <header>
        <h2>Failed in the last 24 hours</h2>
        <span class="badge">{failures.length}</span>
      </header>
      <ul class="now">
        {failures.slice(0, 12).map((run) => (
          <li key={run.run}>
            <StatusIcon status={run.status} />
            <a href={at`/runs/${run.run}`}>
              <strong>{run.pipeline}</strong>
              {run.reason && <span class="muted clip">{run.reason}</span>}
            </a>
            <Time at={run.ended_at} as="relative" />
          </li>
        ))}
      </ul>
    </section>
  );
}
