// What is known of a task and of each of its attempts.

import type { AttemptFact, TaskDetail } from "../../api/types";
import { bytes, figure } from "../../lib/format";
import { Facts } from "../../parts/facts";
import { Status } from "../../parts/status";
import { Duration, Time } from "../../parts/time";

/** The error with its chain of causes and what to do about it. */
export function ErrorCard({ attempt, task }: { attempt: AttemptFact | undefined; task: TaskDetail }) {
  const error = attempt?.error ?? { message: task.error ?? "", causes: [], hint: task.hint };
  return (
    <section class="problem" aria-label="Error">
      <p class="problem-title">{error.message}</p>
      {error.causes.length > 0 && (
        <ol class="causes">
          {error.causes.map((cause, i) => (
            <li key={i}>because: {cause}</li>
          ))}
        </ol>
      )}
      {error.hint && <p class="hint">{error.hint}</p>}
    </section>
  );
}

export function Attempts({ attempts, chosen, choose }: { attempts: AttemptFact[]; chosen: number | null; choose: (attempt: number) => void }) {
  return (
    <div class="attempts" role="group" aria-label="Attempts">
      {attempts.map((one) => (
        <button key={one.attempt} type="button" class="toggle" aria-pressed={one.attempt === chosen} onClick={() => choose(one.attempt)}>
          Attempt {one.attempt} <Status status={one.state} /> <Duration seconds={one.seconds} />
        </button>
      ))}
    </div>
  );
}

export function TaskFacts({ task }: { task: TaskDetail }) {
  return (
    <section class="card">
      <header>
        <h2>Task</h2>
      </header>
      <div class="body">
        <Facts
          facts={[
            ["Stage", task.stage],
            ["Queued", task.queued_at && <Time at={task.queued_at} as="full" />],
            ["Started", task.started_at && <Time at={task.started_at} as="full" />],
            ["Ended", task.ended_at && <Time at={task.ended_at} as="full" />],
            ["Took", task.started_at && (task.state === "running" ? <Duration since={task.started_at} /> : <Duration seconds={task.seconds} />)],
            ["Side taken", task.branch_taken && task.branch_taken.join(", ")],
            ["Why", task.reason !== task.error && task.reason],
          ]}
        />
      </div>
    </section>
  );
}

export function AttemptFacts({ attempt }: { attempt: AttemptFact }) {
  return (
    <section class="card">
      <header>
        <h2>Attempt {attempt.attempt}</h2>
        <Status status={attempt.state} />
      </header>
      <div class="body">
        <Facts
          facts={[
            ["Started", <Time key="t" at={attempt.started_at} as="full" />],
            ["Took", attempt.state === "running" ? <Duration since={attempt.started_at} /> : <Duration seconds={attempt.seconds} />],
            ["Peak memory", attempt.peak_rss_mb !== null && `${figure(attempt.peak_rss_mb, 4)} MiB`],
            ["CPU time", attempt.cpu_seconds !== null && <Duration seconds={attempt.cpu_seconds} />],
            ["Process", attempt.pid],
            ["Exit", attempt.exit],
            ["Log", attempt.log_bytes !== null && attempt.log_bytes > 0 && bytes(attempt.log_bytes)],
          ]}
        />
      </div>
    </section>
  );
}
