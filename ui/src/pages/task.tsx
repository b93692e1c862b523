// A task of a run: its attempts, the log of one, what it was given and what it made, and why it failed.

import { useState } from "preact/hooks";
import type { PageProps } from "../app";
import { at } from "../api/client";
import type { AttemptFact, RunDetail, TaskDetail } from "../api/types";
import { useResource } from "../api/use";
import { isOver } from "../lib/status";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icons";
import { JsonTree } from "../parts/json-tree";
import { LogView } from "../parts/log-view";
import { Empty, Loaded } from "../parts/states";
import { Status } from "../parts/status";
import { useQuery } from "../router";
import { useMay } from "../session";
import { ProgressBar } from "./home/now";
import { ReplayDialog } from "./run/actions";
import { AttemptFacts, Attempts, ErrorCard, TaskFacts } from "./task/facts";
import { MarkDialog } from "./task/mark";
import { Metrics } from "./task/metrics";

export function TaskPage({ params }: PageProps) {
  const { run: id = "", task: name = "" } = params;
  const found = useResource<TaskDetail>(at`/runs/${id}/tasks/${name}`, (change) => change.run === id);
  const run = useResource<RunDetail>(at`/runs/${id}`, (change) => change.run === id);
  const task = found.data;
  const trail: [string, string][] = [["/", "Pipelines"]];
  if (run.data) trail.push([at`/pipelines/${run.data.pipeline}`, run.data.pipeline]);
  trail.push([at`/runs/${id}`, id]);
  return (
    <>
      <Heading title={name} trail={trail} after={task && <Status status={task.state} reason={task.reason} />}>
        {task && run.data && <Actions run={run.data} task={task} reload={found.reload} />}
      </Heading>
      <Loaded of={found} rows={8}>
        {(data) => <Body run={id} task={data} />}
      </Loaded>
    </>
  );
}

function Body({ run, task }: { run: string; task: TaskDetail }) {
  const [asked, setAsked] = useQuery("attempt");
  const attempt = task.attempts.find((one) => String(one.attempt) === asked) ?? task.attempts.at(-1);
  return (
    <div class="task">
      <div class="stack">
        {attempt?.error || task.error ? <ErrorCard attempt={attempt} task={task} /> : null}
        {task.state === "running" && task.progress && <ProgressBar progress={task.progress} />}
        {task.attempts.length > 1 && <Attempts attempts={task.attempts} chosen={attempt?.attempt ?? null} choose={(number) => setAsked(String(number))} />}
        <section class="card">
          <header>
            <h2>{task.attempts.length > 1 && attempt ? `Log of attempt ${attempt.attempt}` : "Log"}</h2>
          </header>
          <AttemptLog run={run} task={task} attempt={attempt} />
        </section>
      </div>
      <div class="stack">
        <TaskFacts task={task} />
        {attempt && <AttemptFacts attempt={attempt} />}
        {task.metrics.length > 0 && <Metrics series={task.metrics} />}
        {task.output !== null && task.output !== undefined && <JsonCard title="Output" value={task.output} />}
        {task.inputs !== null && task.inputs !== undefined && <JsonCard title="Inputs" value={task.inputs} />}
      </div>
    </div>
  );
}

function JsonCard({ title, value }: { title: string; value: unknown }) {
  return (
    <section class="card">
      <header>
        <h2>{title}</h2>
      </header>
      <div class="body">
        <JsonTree value={value} label={title} />
      </div>
    </section>
  );
}

function AttemptLog({ run, task, attempt }: { run: string; task: TaskDetail; attempt: AttemptFact | undefined }) {
  if (!attempt) return <Empty title="It has not run">{task.reason ?? (isOver(task.state) ? "" : "Its log shows here once it does.")}</Empty>;
  return <LogView key={attempt.attempt} path={at`/runs/${run}/tasks/${task.task}/attempts/${attempt.attempt}/log`} live={attempt.state === "running"} />;
}

function Actions({ run, task, reload }: { run: RunDetail; task: TaskDetail; reload: () => void }) {
  const may = useMay("operator");
  const [question, setQuestion] = useState<"replay" | "mark" | null>(null);
  if (!may) return null;
  return (
    <>
      {!run.cancellable && (
        <button type="button" onClick={() => setQuestion("replay")}>
          <Icon name="retry" /> Replay from here
        </button>
      )}
      <button type="button" onClick={() => setQuestion("mark")}>
        Mark …
      </button>
      {question === "replay" && <ReplayDialog run={run} from={task.task} onClose={() => setQuestion(null)} />}
      {question === "mark" && <MarkDialog run={run.run} task={task.task} onClose={() => setQuestion(null)} done={reload} />}
    </>
  );
}
