// Runs as a table: filters stand in the address, more come by the cursor.

import { useEffect, useState } from "preact/hooks";
import { at, get, query } from "../../api/client";
import type { Page, RunBrief } from "../../api/types";
import { useResource } from "../../api/use";
import { Status } from "../../parts/status";
import { Empty, Loaded } from "../../parts/states";
import { type Column, Table } from "../../parts/table";
import { Duration, Time } from "../../parts/time";
import { toastProblem } from "../../parts/toast";
import { useQuery } from "../../router";

const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled", "interrupted"];
const TRIGGERS = ["manual", "schedule", "event", "backfill", "simulation"];

/** Of one pipeline, or of all. */
export function RunList({ pipeline }: { pipeline: string | null }) {
  const [status, setStatus] = useQuery("status");
  const [trigger, setTrigger] = useQuery("trigger");
  const [since, setSince] = useQuery("since");
  const [until, setUntil] = useQuery("until");
  const [chosen, setChosen] = useQuery("pipeline");
  const wanted = pipeline ?? chosen;
  const path = query("/runs", { pipeline: wanted, status, trigger, since: midnight(since), until: midnight(until, 1), limit: 50 });
  const first = useResource<Page<RunBrief>>(path, (change) => change.kind === "run" && (wanted === "" || change.pipeline === wanted));
  return (
    <section class="card">
      <div class="filters">
        {pipeline === null && <PipelineChoice value={chosen} set={setChosen} />}
        <Choice name="Status" values={STATUSES} value={status} set={setStatus} />
        <Choice name="Trigger" values={TRIGGERS} value={trigger} set={setTrigger} />
        <label>
          From <input type="date" value={since} onInput={(event) => setSince(event.currentTarget.value)} />
        </label>
        <label>
          to <input type="date" value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
        </label>
      </div>
      <Loaded of={first} rows={8}>
        {(page) => <Pages key={path} path={path} first={page} withPipeline={pipeline === null} />}
      </Loaded>
    </section>
  );
}

/** The first instant of a day in the viewer's zone, `days` later. */
function midnight(date: string, days = 0): string | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return null;
  const [year = 0, month = 1, day = 1] = date.split("-").map(Number);
  return new Date(year, month - 1, day + days).toISOString();
}

/** The first page goes on by itself; those behind it stay as they were read. */
function Pages({ path, first, withPipeline }: { path: string; first: Page<RunBrief>; withPipeline: boolean }) {
  const [more, setMore] = useState<RunBrief[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (more.length === 0) setCursor(first.next_cursor);
  }, [first, more.length]);
  const read = async () => {
    setBusy(true);
    try {
      const page = await get<Page<RunBrief>>(`${path}&cursor=${encodeURIComponent(cursor ?? "")}`);
      setMore((before) => [...before, ...page.items]);
      setCursor(page.next_cursor);
    } catch (error) {
      toastProblem(error);
    }
    setBusy(false);
  };
  const seen = new Set(first.items.map((run) => run.run));
  const runs = [...first.items, ...more.filter((run) => !seen.has(run.run))];
  if (runs.length === 0) return <Empty title="No runs">Nothing has run that these filters let through.</Empty>;
  return (
    <>
      <Table caption="Runs" columns={withPipeline ? COLUMNS : COLUMNS.filter((column) => column.name !== "Pipeline")} rows={runs} rowKey={(run) => run.run} />
      {cursor !== null && (
        <p class="more">
          <button type="button" onClick={() => void read()} disabled={busy}>
            Older runs
          </button>
        </p>
      )}
    </>
  );
}

const COLUMNS: Column<RunBrief>[] = [
  { name: "Status", by: (run) => run.status, cell: (run) => <Status status={run.status} reason={run.reason} /> },
  {
    name: "Run",
    cell: (run) => (
      <a class="mono link" href={at`/runs/${run.run}`}>
        {run.run}
      </a>
    ),
  },
  { name: "Pipeline", by: (run) => run.pipeline, cell: (run) => <a href={at`/pipelines/${run.pipeline}`}>{run.pipeline}</a> },
  { name: "Trigger", by: (run) => run.trigger, minor: true, cell: (run) => run.trigger },
  { name: "For", by: (run) => run.logical_date, minor: true, cell: (run) => <Time at={run.logical_date} /> },
  { name: "Started", by: (run) => run.started_at, cell: (run) => <Time at={run.started_at} /> },
  {
    name: "Took",
    numeric: true,
    by: (run) => run.seconds,
    cell: (run) => (run.status === "running" ? <Duration since={run.started_at} /> : <Duration seconds={run.seconds} />),
  },
];

function Choice({ name, values, value, set }: { name: string; values: string[]; value: string; set: (value: string) => void }) {
  return (
    <label>
      {name}{" "}
      <select value={value} onChange={(event) => set(event.currentTarget.value)}>
        <option value="">any</option>
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}

function PipelineChoice({ value, set }: { value: string; set: (value: string) => void }) {
  const known = useResource<Page<{ pipeline: string }>>("/pipelines?limit=500");
  return <Choice name="Pipeline" values={(known.data?.items ?? []).map((card) => card.pipeline)} value={value} set={set} />;
}
