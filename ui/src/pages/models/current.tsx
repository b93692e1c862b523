// The version that serves, in one card.

import type { ModelVersion, Promotion } from "../../api/models";
import { figure, HEADLINES, metric, whole } from "../../lib/figures";
import { Time } from "../../parts/time";
import { versionName, work } from "./facts";

export function Current({ versions, decisions }: { versions: ModelVersion[]; decisions: Promotion[] }) {
  const current = versions.find((one) => one.current);
  if (!current) return <p class="note">No version was promoted yet: where a pipeline asks for the current model it gets the latest one.</p>;
  const why = decisions.find((one) => one.promoted && one.version === current.version);
  return (
    <section class="card current" aria-label="The current model">
      <div>
        <p class="muted">Serving now</p>
        <h2>
          <a href={`/models/${encodeURIComponent(current.version)}`}>{versionName(current.version)}</a>
        </h2>
        {why && (
          <p class="muted">
            since <Time at={why.decided_at} /> – {why.reason} <By decision={why} />
          </p>
        )}
      </div>
      <dl class="figures">
        {HEADLINES.filter((name) => current.metrics[name] !== undefined).map((name) => (
          <div key={name}>
            <dt>{metric(name).title}</dt>
            <dd>{figure(name, current.metrics[name])}</dd>
          </div>
        ))}
        <div>
          <dt>Ratings</dt>
          <dd>{whole(current.ratings)}</dd>
        </div>
        <div>
          <dt>Users</dt>
          <dd>{whole(current.users)}</dd>
        </div>
        <div>
          <dt>Items</dt>
          <dd>{whole(current.items)}</dd>
        </div>
      </dl>
    </section>
  );
}

/** Who decided: a link to the task, or that it was a person. */
export function By({ decision }: { decision: Promotion }) {
  const task = work(decision.publish_key);
  if (!task) return <span class="muted">(by hand)</span>;
  return (
    <a class="link" href={`/runs/${encodeURIComponent(task.run)}/tasks/${encodeURIComponent(task.task)}`}>
      {task.run}
    </a>
  );
}
