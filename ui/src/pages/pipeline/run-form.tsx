// Starts a run: its parameters as a form, its date, or the same as an earlier run.

import { useState } from "preact/hooks";
import { Problem, at, post } from "../../api/client";
import type { PipelineDetail, RunBrief } from "../../api/types";
import { useResource } from "../../api/use";
import { SchemaFields, useSchemaForm } from "../../parts/schema-form";
import { Loaded, ProblemBox } from "../../parts/states";
import { toast } from "../../parts/toast";
import { navigate, useQuery } from "../../router";
import { useMay } from "../../session";

export function RunForm({ pipeline }: { pipeline: PipelineDetail }) {
  const [like] = useQuery("like");
  const earlier = useResource<RunBrief>(like === "" ? null : at`/runs/${like}`);
  if (!useMay("operator")) return <p class="notice tone-warn">Starting a run takes the role operator.</p>;
  if (like === "") return <Filled pipeline={pipeline} values={{}} />;
  return <Loaded of={earlier}>{(run) => <Filled pipeline={pipeline} values={run.params} like={run.run} />}</Loaded>;
}

function Filled({ pipeline, values, like }: { pipeline: PipelineDetail; values: Record<string, unknown>; like?: string }) {
  const form = useSchemaForm(pipeline.params, values);
  const [date, setDate] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const start = async (event: Event) => {
    event.preventDefault();
    const params = form.read();
    if (params === null) {
      requestAnimationFrame(() => document.querySelector<HTMLElement>(".fields [aria-invalid]")?.focus());
      return;
    }
    setBusy(true);
    setProblem(null);
    try {
      const body = date === "" ? { params } : { params, logical_date: new Date(date).toISOString() };
      const { run } = await post<{ run: string }>(at`/pipelines/${pipeline.pipeline}/runs`, body);
      toast(`started run ${run}`);
      navigate(at`/runs/${run}`);
    } catch (error) {
      setProblem(error instanceof Problem ? error : Problem.unreachable());
      setBusy(false);
    }
  };
  return (
    <form class="card run-form" onSubmit={start} noValidate aria-label={`Run ${pipeline.pipeline}`}>
      <header>
        <h2>{like ? `Run again as ${like}` : "New run"}</h2>
      </header>
      <div class="body stack">
        <SchemaFields form={form} />
        <div class="fields">
          <div class="field">
            <label class="plain" for="logical-date">Date it stands for</label>
            <input id="logical-date" type="datetime-local" step="1" value={date} onInput={(event) => setDate(event.currentTarget.value)} aria-describedby="logical-date-about" />
            <p class="field-about muted" id="logical-date-about">
              Its logical date, in your zone. Left empty: now.
            </p>
          </div>
        </div>
        {problem && <ProblemBox problem={problem} />}
        <div class="actions">
          <button type="submit" class="primary" disabled={busy}>
            Start the run
          </button>
          <a class="button" href={at`/pipelines/${pipeline.pipeline}`}>
            Back
          </a>
        </div>
      </div>
    </form>
  );
}
