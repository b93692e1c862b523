// The tasks of a run as a graph and over time, each with a table that says the same.

import { useMemo } from "preact/hooks";
import { at } from "../../api/client";
import type { Page, RunDetail, RunEvent, TaskBrief } from "../../api/types";
import { useResource } from "../../api/use";
import { figure } from "../../lib/format";
import { GraphView } from "../../parts/graph";
import { Gantt } from "../../parts/gantt";
import { Loaded } from "../../parts/states";
import { Status } from "../../parts/status";
import { type Column, Table } from "../../parts/table";
import { Duration } from "../../parts/time";
import { ProgressBar } from "../home/now";

export function GraphTab({ run }: { run: RunDetail }) {
  return (
    <div class="stack">
      <section class="card">
        <GraphView graph={run.graph} tasks={run.tasks} href={(task) => at`/runs/${run.run}/tasks/${task}`} label={`Tasks of run ${run.run}`} />
      </section>
      <section class="card">
        <TaskTable run={run} />
      </section>
    </div>
  );
}

export function GanttTab({ run }: { run: RunDetail }) {
  const events = useResource<Page<RunEvent>>(at`/runs/${run.run}/events?limit=500`, (change) => change.run === run.run);
  return (
    <section class="card">
      <Loaded of={events} rows={run.tasks.length}>
        {(page) => <Gantt run={run} events={page.items} />}
      </Loaded>
    </section>
  );
}

function TaskTable({ run }: { run: RunDetail }) {
  const columns = useMemo((): Column<TaskBrief>[] => {
    return [
      {
        name: "Task",
        by: (task) => task.task,
        cell: (task) => (
          <a class="link" href={at`/runs/${run.run}/tasks/${task.task}`}>
            {task.task}
          </a>
        ),
      },
      { name: "State", by: (task) => task.state, cell: (task) => <Status status={task.state} reason={task.reason} /> },
      { name: "About", cell: (task) => <About task={task} /> },
      { name: "Tries", numeric: true, minor: true, by: (task) => task.attempts, cell: (task) => task.attempts || "–" },
      { name: "Took", numeric: true, by: (task) => task.seconds, cell: (task) => (task.state === "running" ? <Duration since={task.started_at} /> : <Duration seconds={task.seconds} />) },
      { name: "Memory", numeric: true, minor: true, by: (task) => task.peak_rss_mb, cell: (task) => (task.peak_rss_mb === null ? "–" : `${figure(task.peak_rss_mb, 3)} MiB`) },
      { name: "CPU", numeric: true, minor: true, by: (task) => task.cpu_seconds, cell: (task) => <Duration seconds={task.cpu_seconds} /> },
    ];
  }, [run.run]);
  return <Table caption="Tasks" columns={columns} rows={run.tasks} rowKey={(task) => task.task} />;
}

/** What a person wants to know of it now: how far it is, why it failed, why it did not run. */
function About({ task }: { task: TaskBrief }) {
  if (task.state === "running" && task.progress) return <ProgressBar progress={task.progress} />;
  if (task.error) return <span class="clip bad">{task.error}</span>;
  if (task.branch_taken) return <span class="muted">took {task.branch_taken.join(", ") || "no side"}</span>;
  return <span class="muted clip">{task.reason ?? task.stage}</span>;
}
