// A person decides how a task ended: approves it, or gives it up.

import { useState } from "preact/hooks";
import { Problem, at, post } from "../../api/client";
import { Confirm } from "../../parts/dialog";
import { toast } from "../../parts/toast";

export function MarkDialog({ run, task, onClose, done }: { run: string; task: string; onClose: () => void; done: () => void }) {
  const [status, setStatus] = useState<"succeeded" | "failed">("succeeded");
  const [reason, setReason] = useState("");
  const [output, setOutput] = useState("");
  const act = async () => {
    await post(at`/runs/${run}/tasks/${task}/mark`, { status, ...(reason === "" ? {} : { reason }), ...(output.trim() === "" ? {} : { output: parsed(output) }) });
    toast(`${task} is marked as ${status}`);
    done();
  };
  return (
    <Confirm title={`Mark ${task}`} verb="Mark it" onClose={onClose} act={act}>
      <p>Tasks below it go on as if it had ended so by itself.</p>
      <fieldset class="choices">
        <legend class="sr-only">As</legend>
        {(["succeeded", "failed"] as const).map((one) => (
          <label key={one} class="check">
            <input type="radio" name="status" checked={status === one} onChange={() => setStatus(one)} /> {one}
          </label>
        ))}
      </fieldset>
      <label class="stacked">
        Why <input type="text" value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      {status === "succeeded" && (
        <label class="stacked">
          Output, as JSON (tasks below may read it)
          <textarea class="mono" rows={3} value={output} onInput={(event) => setOutput(event.currentTarget.value)} />
        </label>
      )}
    </Confirm>
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Problem(0, "the output is not JSON", null, 'such as {"path": "data/x.csv"}', null, []);
  }
}
