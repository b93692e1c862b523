// The daemon, what it works on and what waits, its store and how that grows.

import type { SystemFacts } from "../../api/system";
import type { Overview as Now } from "../../api/types";
import { useResource } from "../../api/use";
import { bytes, plural } from "../../lib/format";
import { whole } from "../../lib/figures";
import { Facts } from "../../parts/facts";
import { Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { Duration, Time } from "../../parts/time";
import { days } from "./facts";

export function Overview() {
  const system = useResource<SystemFacts>("/system", (change) => change.kind === "run" || change.kind === "task");
  return (
    <Loaded of={system} rows={10}>
      {(found) => (
        <div class="stack">
          <div class="columns">
            <Daemon of={found} />
            <Store of={found} />
            <Upkeep of={found} />
          </div>
          <div class="columns">
            <Pools of={found} />
            <Queue />
          </div>
        </div>
      )}
    </Loaded>
  );
}

function Daemon({ of }: { of: SystemFacts }) {
  const { daemon } = of;
  return (
    <section class="card" aria-labelledby="daemon">
      <header>
        <h2 id="daemon">Daemon</h2>
        {daemon?.alive ? <span class="status tone-good">✓ running</span> : <span class="status tone-bad">✕ not running</span>}
      </header>
      <div class="body">
        <Facts
          facts={[
            ["Version", of.version],
            ["Process", daemon && <span class="num">{daemon.pid}</span>],
            ["Since", daemon && <Time at={daemon.started_at} as="full" />],
            ["For", daemon?.alive && <Duration since={daemon.started_at} />],
            ["Address", daemon?.address && <code>{daemon.address}</code>],
            ["Tasks at once", <Load used={of.running_tasks} slots={of.max_parallel_tasks} name="Tasks under way" />],
          ]}
        />
      </div>
    </section>
  );
}

function Store({ of }: { of: SystemFacts }) {
  const { store } = of;
  return (
    <section class="card" aria-labelledby="store">
      <header>
        <h2 id="store">Store</h2>
        {store && <strong class="num">{bytes(store.bytes + store.wal_bytes)}</strong>}
      </header>
      <div class="body">
        {store ? (
          <Facts
            facts={[
              ["File", <code>{store.path}</code>],
              ["Size", bytes(store.bytes)],
              ["Its log", bytes(store.wal_bytes)],
              ["Runs", whole(store.runs)],
              ["Rows of tasks", whole(store.task_rows)],
              ["Schema", whole(store.schema)],
            ]}
          />
        ) : (
          <p class="muted">Nothing has run here yet.</p>
        )}
      </div>
    </section>
  );
}

function Upkeep({ of }: { of: SystemFacts }) {
  const { growth, retention } = of;
  return (
    <section class="card" aria-labelledby="upkeep">
      <header>
        <h2 id="upkeep">Growth and retention</h2>
      </header>
      <div class="body stack">
        <Facts
          facts={[
            ["Runs in a day", whole(growth.runs_last_day)],
            ["Runs in a week", whole(growth.runs_last_week)],
            ["A run takes", growth.bytes_per_run !== null && bytes(growth.bytes_per_run)],
            ["A day brings", growth.bytes_per_day !== null && `about ${bytes(growth.bytes_per_day)}`],
          ]}
        />
        <Facts
          facts={[
            ["Runs are kept", `${days(retention.older_than_seconds)}, and ${whole(retention.runs)} of each pipeline`],
            ["Logs are kept", `${days(retention.logs_seconds)}, ${bytes(retention.max_log_bytes)} in all`],
          ]}
        />
      </div>
    </section>
  );
}

function Pools({ of }: { of: SystemFacts }) {
  return (
    <section class="card" aria-labelledby="pools">
      <header>
        <h2 id="pools">Pools</h2>
      </header>
      {of.pools.length === 0 ? (
        <p class="body muted">No task names a pool.</p>
      ) : (
        <Table
          caption="Pools and their slots"
          rows={of.pools}
          rowKey={(one) => one.pool}
          columns={[
            { name: "Pool", by: (one) => one.pool, cell: (one) => one.pool },
            { name: "Used", by: (one) => one.used, cell: (one) => <Load used={one.used} slots={one.slots} name={`Pool ${one.pool}`} /> },
            { name: "Waiting", numeric: true, by: (one) => one.waiting, cell: (one) => whole(one.waiting) },
          ]}
        />
      )}
    </section>
  );
}

/** How much of something is taken, as a meter and in figures. */
function Load({ used, slots, name }: { used: number; slots: number | null; name: string }) {
  if (slots === null) return <span class="num">{whole(used)}</span>;
  return (
    <span class="load">
      <meter min={0} max={Math.max(1, slots)} value={used} aria-label={name} />
      <span class="num">
        {whole(used)} of {whole(slots)}
      </span>
    </span>
  );
}

function Queue() {
  const now = useResource<Now>("/overview", (change) => change.kind === "run" || change.kind === "task");
  return (
    <section class="card" aria-labelledby="queue">
      <header>
        <h2 id="queue">Queue</h2>
      </header>
      <Loaded of={now} rows={2}>
        {({ running, queued }) => {
          const waiting = Object.entries(queued);
          return (
            <div class="body stack">
              {waiting.length === 0 ? (
                <p class="muted">No run waits.</p>
              ) : (
                <Facts
                  facts={waiting.map(([pipeline, runs]) => [pipeline, <a href={`/runs?pipeline=${encodeURIComponent(pipeline)}&status=queued`}>{plural(runs, "run")}</a>])}
                />
              )}
              {running.length === 0 ? (
                <p class="muted">No task is under way.</p>
              ) : (
                <ul class="under-way">
                  {running.map((one) => (
                    <li key={`${one.run}/${one.task}`}>
                      <a class="link" href={`/runs/${encodeURIComponent(one.run)}/tasks/${encodeURIComponent(one.task)}`}>
                        {one.task}
                      </a>{" "}
                      <span class="muted">
                        of {one.pipeline}, <Duration seconds={one.seconds} />
                      </span>
                    </li>
                  ))}
                </ul>
              )}
            </div>
          );
        }}
      </Loaded>
    </section>
  );
}
