// A run: its tasks as a graph, over time, and what happened.

import type { PageProps } from "../app";
import { at } from "../api/client";
import type { RunDetail } from "../api/types";
import { useResource } from "../api/use";
import { count } from "../lib/format";
import { Heading } from "../parts/heading";
import { Empty, Loaded } from "../parts/states";
import { Status } from "../parts/status";
import { Tabs } from "../parts/tabs";
import { Duration, Time } from "../parts/time";
import { RunActions } from "./run/actions";
import { EventsTab } from "./run/events";
import { GanttTab, GraphTab } from "./run/views";
import { RunFacts } from "./run/facts";

const VIEWS: [string, string][] = [
  ["graph", "Graph"],
  ["gantt", "Gantt"],
  ["events", "Events"],
  ["details", "Details"],
];

export function RunPage({ params }: PageProps) {
  const id = params.run ?? "";
  const view = params.view ?? "graph";
  const found = useResource<RunDetail>(at`/runs/${id}`, (change) => change.run === id);
  const run = found.data;
  return (
    <>
      <Heading
        title={id}
        trail={[["/", "Pipelines"], ...(run ? [[at`/pipelines/${run.pipeline}`, run.pipeline] as [string, string]] : [])]}
        after={run && <Status status={run.status} reason={run.reason} />}
      >
        {run && <RunActions run={run} reload={found.reload} />}
      </Heading>
      {run && <Summary run={run} />}
      <Tabs label="Views of the run" current={at`/runs/${id}/${view}`} tabs={VIEWS.map(([one, name]) => ({ href: at`/runs/${id}/${one}`, name }))} />
      <Loaded of={found} rows={8}>
        {(data) => <View run={data} view={view} />}
      </Loaded>
    </>
  );
}

function View({ run, view }: { run: RunDetail; view: string }) {
  switch (view) {
    case "graph":
      return <GraphTab run={run} />;
    case "gantt":
      return <GanttTab run={run} />;
    case "events":
      return <EventsTab run={run.run} />;
    case "details":
      return <RunFacts run={run} />;
    default:
      return <Empty title="There is no such view">{view}</Empty>;
  }
}

function Summary({ run }: { run: RunDetail }) {
  const done = run.tasks.filter((task) => task.ended_at !== null || task.state === "skipped").length;
  return (
    <div class="about">
      <p class="muted">
        <span>
          {run.trigger} for <Time at={run.logical_date} as="full" />
        </span>
        {run.started_at && (
          <span>
            started <Time at={run.started_at} as="relative" />
          </span>
        )}
        {run.started_at && <span>{run.status === "running" ? <Duration since={run.started_at} /> : <Duration seconds={run.seconds} />}</span>}
        <span class="num">
          {count(done)} of {count(run.tasks.length)} tasks
        </span>
      </p>
      {run.reason && run.status !== "succeeded" && <p class="notice tone-bad">{run.reason}</p>}
    </div>
  );
}
