// The pipeline as a grid of its runs and as a graph of its tasks.

import { at } from "../../api/client";
import type { Grid, PipelineDetail } from "../../api/types";
import { useResource } from "../../api/use";
import { plural } from "../../lib/format";
import { lookOf } from "../../lib/status";
import { Facts } from "../../parts/facts";
import { GraphView } from "../../parts/graph";
import { GridView } from "../../parts/grid";
import { Empty, Loaded } from "../../parts/states";
import { StatusIcon } from "../../parts/status";
import { useQuery } from "../../router";

const SIZES = ["25", "100", "365"];
const LEGEND = ["succeeded", "running", "failed", "skipped", "upstream_failed", "cancelled", "waiting"];

export function GridTab({ pipeline }: { pipeline: PipelineDetail }) {
  const [limit, setLimit] = useQuery("limit", "100");
  const size = SIZES.includes(limit) ? limit : "100";
  const grid = useResource<Grid>(`${at`/pipelines/${pipeline.pipeline}/grid`}?limit=${size}`, (change) => change.pipeline === pipeline.pipeline || change.kind === "task");
  return (
    <section class="card">
      <header>
        <label>
          Last{" "}
          <select value={size} onChange={(event) => setLimit(event.currentTarget.value)}>
            {SIZES.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>{" "}
          runs
        </label>
        <ul class="legend" aria-label="Legend">
          {LEGEND.map((state) => (
            <li key={state}>
              <span class={`grid-cell tone-${lookOf(state).tone} is-${state}`} aria-hidden="true" /> {lookOf(state).word}
            </li>
          ))}
        </ul>
      </header>
      <Loaded of={grid} rows={10}>
        {(data) =>
          data.runs.length === 0 ? <Empty title="No runs yet">Each run becomes a column here, each task a row.</Empty> : <GridView grid={data} pipeline={pipeline.pipeline} />
        }
      </Loaded>
    </section>
  );
}

export function GraphTab({ pipeline }: { pipeline: PipelineDetail }) {
  const [task] = useQuery("task");
  const chosen = pipeline.graph.nodes.find((node) => node.task === task);
  return (
    <div class="stack">
      <section class="card">
        <GraphView graph={pipeline.graph} href={(one) => `${at`/pipelines/${pipeline.pipeline}/graph`}?task=${encodeURIComponent(one)}`} label={`Tasks of ${pipeline.pipeline}`} />
      </section>
      {chosen ? (
        <section class="card" aria-label={`Task ${chosen.task}`}>
          <header>
            <h2>{chosen.task}</h2>
          </header>
          <div class="body">
            <Facts
              facts={[
                ["Stage", chosen.kind === "branch" ? "branch" : <a href={at`/system/stages?stage=${chosen.stage}`}>{chosen.stage}</a>],
                ["About", chosen.description],
                ["Needs", chosen.needs.length > 0 && chosen.needs.join(", ")],
                ["Runs when", chosen.needs.length > 0 && chosen.trigger_rule.replaceAll("_", " ")],
              ]}
            />
          </div>
        </section>
      ) : (
        <p class="muted">
          <StatusIcon status="waiting" label="" /> {plural(pipeline.graph.nodes.length, "task")}. Choose one to see what it needs.
        </p>
      )}
    </div>
  );
}
