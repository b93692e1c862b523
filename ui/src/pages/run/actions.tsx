// What can be done with a run: cancel, resume, replay from a task, run again.

import { useState } from "preact/hooks";
import { at, post } from "../../api/client";
import type { RunDetail } from "../../api/types";
import { Confirm } from "../../parts/dialog";
import { Icon } from "../../parts/icons";
import { toast, toastProblem } from "../../parts/toast";
import { navigate } from "../../router";
import { useMay } from "../../session";

type Question = "cancel" | "replay" | null;

export function RunActions({ run, reload }: { run: RunDetail; reload: () => void }) {
  const may = useMay("operator");
  const [question, setQuestion] = useState<Question>(null);
  if (!may) return null;
  const resume = () =>
    post(at`/runs/${run.run}/resume`).then(() => {
      toast("the run goes on");
      reload();
    }, toastProblem);
  return (
    <>
      {run.cancellable && (
        <button type="button" onClick={() => setQuestion("cancel")}>
          <Icon name="stop" /> Cancel
        </button>
      )}
      {run.resumable && (
        <button type="button" class="primary" onClick={() => void resume()}>
          <Icon name="play" /> Resume
        </button>
      )}
      {!run.cancellable && (
        <button type="button" onClick={() => setQuestion("replay")}>
          <Icon name="retry" /> Replay from …
        </button>
      )}
      <a class="button" href={`${at`/pipelines/${run.pipeline}/run`}?like=${encodeURIComponent(run.run)}`}>
        <Icon name="copy" /> Run again
      </a>
      {question === "cancel" && <CancelDialog run={run} onClose={() => setQuestion(null)} done={reload} />}
      {question === "replay" && <ReplayDialog run={run} from={null} onClose={() => setQuestion(null)} />}
    </>
  );
}

function CancelDialog({ run, onClose, done }: { run: RunDetail; onClose: () => void; done: () => void }) {
  const [force, setForce] = useState(false);
  const act = async () => {
    await post(at`/runs/${run.run}/cancel`, { force });
    toast("the run is being cancelled");
    done();
  };
  return (
    <Confirm title="Cancel this run?" verb="Cancel the run" danger onClose={onClose} act={act}>
      <p>Tasks under way are asked to stop; those that wait never start. A cancelled run can be resumed.</p>
      <label class="check">
        <input type="checkbox" checked={force} onChange={(event) => setForce(event.currentTarget.checked)} /> At once, without time to clean up
      </label>
    </Confirm>
  );
}

/** Runs a task and all below it again, in the same run. `from` chooses it beforehand. */
export function ReplayDialog({ run, from, onClose }: { run: { run: string; tasks: { task: string; state: string }[] }; from: string | null; onClose: () => void }) {
  const failed = run.tasks.find((task) => task.state === "failed")?.task;
  const [task, setTask] = useState(from ?? failed ?? run.tasks[0]?.task ?? "");
  const act = async () => {
    const answer = await post<{ run: string }>(at`/runs/${run.run}/replay`, { from: task });
    toast(`replaying from ${task}`);
    navigate(at`/runs/${answer.run}`);
  };
  return (
    <Confirm title="Replay from a task" verb="Replay" onClose={onClose} act={act}>
      <p>The task and all that depend on it run again. Outputs of tasks before it stay as they are.</p>
      <label>
        From{" "}
        <select value={task} onChange={(event) => setTask(event.currentTarget.value)}>
          {run.tasks.map((one) => (
            <option key={one.task} value={one.task}>
              {one.task}
            </option>
          ))}
        </select>
      </label>
    </Confirm>
  );
}
