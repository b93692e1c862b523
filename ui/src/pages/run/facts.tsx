// What a run was given, what led to it, and by whom it is carried out.

import { at } from "../../api/client";
import type { RunDetail } from "../../api/types";
import { Facts } from "../../parts/facts";
import { JsonTree } from "../../parts/json-tree";
import { Time } from "../../parts/time";

export function RunFacts({ run }: { run: RunDetail }) {
  const version = run.version?.id;
  return (
    <div class="columns">
      <section class="card">
        <header>
          <h2>Run</h2>
        </header>
        <div class="body">
          <Facts
            facts={[
              ["Trigger", run.trigger],
              ["Logical date", <Time key="t" at={run.logical_date} as="full" />],
              ["Created", <Time key="t" at={run.created_at} as="full" />],
              ["Started", <Time key="t" at={run.started_at} as="full" />],
              ["Ended", <Time key="t" at={run.ended_at} as="full" />],
              ["Definition", version !== undefined && <a href={`${at`/pipelines/${run.pipeline}/source`}?from=none&to=${encodeURIComponent(String(version))}`}>version {version}</a>],
              ["Backfill", run.backfill],
              ["Replay of", run.replay_of && <a href={at`/runs/${run.replay_of}`}>{run.replay_of}</a>],
              ["Carried out by", run.owner && `${run.owner.pid === null ? "a process" : `process ${run.owner.pid}`}${run.owner.alive ? "" : ", which is gone"}`],
              ["Reason", run.reason],
            ]}
          />
        </div>
      </section>
      <section class="card">
        <header>
          <h2>Parameters</h2>
          <a href={`${at`/pipelines/${run.pipeline}/run`}?like=${encodeURIComponent(run.run)}`} class="link">
            Run again with these
          </a>
        </header>
        <div class="body">
          <JsonTree value={run.params} label="Parameters" />
        </div>
      </section>
      {run.cause !== null && run.cause !== undefined && (
        <section class="card">
          <header>
            <h2>Cause</h2>
          </header>
          <div class="body">
            <JsonTree value={run.cause} label="Cause" />
          </div>
        </section>
      )}
    </div>
  );
}
