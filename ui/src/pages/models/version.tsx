// One version: what it was trained on and how, what was measured of it, what was decided about it.

import { useState } from "preact/hooks";
import type { PageProps } from "../../app";
import { query } from "../../api/client";
import type { ModelDetails } from "../../api/models";
import { useResource } from "../../api/use";
import { figure, metric, ordered, whole } from "../../lib/figures";
import { Facts } from "../../parts/facts";
import { Heading } from "../../parts/heading";
import { Empty, Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { useQuery } from "../../router";
import { useMay } from "../../session";
import { Compare } from "./compare";
import { Decisions } from "./decisions";
import { text, versionName, work } from "./facts";
import "./models.css";
import { Promote } from "./promote";

export function ModelPage({ params }: PageProps) {
  const version = params["version"] ?? "";
  const [folder] = useQuery("folder");
  if (version === "compare") return <Compare folder={folder} />;
  return <Version version={version} folder={folder} />;
}

function Version({ version, folder }: { version: string; folder: string }) {
  const [promoting, setPromoting] = useState(false);
  const mayOperate = useMay("operator");
  const details = useResource<ModelDetails>(query(`/models/${encodeURIComponent(version)}`, { folder }), (change) => change.kind === "model");
  const known = details.data;
  return (
    <>
      <Heading
        title={versionName(known?.version ?? version)}
        trail={[[query("/models", { folder }), "Models"]]}
        after={known?.current ? <span class="badge badge-current">current</span> : null}
      >
        {known && !known.current && (
          <a class="button" href={query("/models/compare", { a: "current", b: known.version, folder })}>
            Compare with the current one
          </a>
        )}
        {known && mayOperate && !known.current && (
          <button type="button" class="primary" onClick={() => setPromoting(true)}>
            Promote
          </button>
        )}
      </Heading>
      <Loaded of={details} rows={10}>
        {(found) => (
          <div class="stack">
            <div class="columns">
              <Figures of={found} />
              <Training of={found} />
              <Parameters of={found} />
            </div>
            <Evaluations of={found} />
            <section class="stack" aria-labelledby="decisions">
              <h2 id="decisions">Decisions about it</h2>
              {found.decisions.length > 0 ? <Decisions decisions={found.decisions} /> : <p class="muted">None: nobody compared, promoted or went back to it.</p>}
            </section>
          </div>
        )}
      </Loaded>
      {promoting && <Promote version={version} folder={folder} onClose={() => setPromoting(false)} onDone={details.reload} />}
    </>
  );
}

function Figures({ of }: { of: ModelDetails }) {
  const names = ordered(Object.keys(of.metrics));
  return (
    <section class="card" aria-labelledby="figures">
      <header>
        <h2 id="figures">Figures</h2>
        {of.measured_on && <span class="muted mono">{of.measured_on}</span>}
      </header>
      <div class="body">
        {names.length === 0 ? <Empty title="Nothing was measured">An evaluation with “record: true” keeps its figures here.</Empty> : <Facts facts={names.map((name) => [metric(name).title, <span class="num">{figure(name, of.metrics[name])}</span>])} />}
      </div>
    </section>
  );
}

function Training({ of }: { of: ModelDetails }) {
  return (
    <section class="card" aria-labelledby="training">
      <header>
        <h2 id="training">Training</h2>
      </header>
      <div class="body">
        <Facts
          facts={[
            ["Published", of.created_at && <Time at={of.created_at} as="full" />],
            ["Users", whole(of.users)],
            ["Items", whole(of.items)],
            ["Ratings", whole(of.ratings)],
            ["Dataset", of.dataset && <a href={query("/data", { path: of.dataset.path })}>{of.dataset.path}</a>],
            ["Its rows", of.dataset && whole(of.dataset.rows)],
            ["Its fingerprint", of.dataset && <code title={of.dataset.fingerprint}>{of.dataset.fingerprint.slice(0, 16)}…</code>],
            ["Folder", <code>{of.path}</code>],
          ]}
        />
      </div>
    </section>
  );
}

function Parameters({ of }: { of: ModelDetails }) {
  return (
    <section class="card" aria-labelledby="parameters">
      <header>
        <h2 id="parameters">Parameters</h2>
      </header>
      <div class="body">
        {of.params ? <Facts facts={Object.entries(of.params).map(([name, value]) => [name, <span class="num">{text(value)}</span>])} /> : <p class="muted">Not known: another program saved this model. Its rank is {whole(of.rank)}.</p>}
      </div>
    </section>
  );
}

function Evaluations({ of }: { of: ModelDetails }) {
  if (of.evaluations.length === 0) return null;
  const shown = ordered(of.evaluations.flatMap((one) => Object.keys(one.metrics))).slice(0, 6);
  return (
    <section class="card" aria-labelledby="evaluations">
      <header>
        <h2 id="evaluations">Measured</h2>
      </header>
      <Table
        caption="Evaluations of this version"
        rows={of.evaluations}
        rowKey={(one) => one.publish_key}
        columns={[
          { name: "When", by: (one) => one.evaluated_at, cell: (one) => <Time at={one.evaluated_at} /> },
          { name: "Test set", by: (one) => one.ratings.path, cell: (one) => <a href={query("/data", { path: one.ratings.path })}>{one.ratings.path}</a> },
          ...shown.map((name) => ({
            name: metric(name).title,
            numeric: true,
            by: (one: ModelDetails["evaluations"][number]) => one.metrics[name] ?? null,
            cell: (one: ModelDetails["evaluations"][number]) => figure(name, one.metrics[name]),
          })),
          { name: "By", cell: (one) => <Task of={one.publish_key} /> },
        ]}
      />
    </section>
  );
}

function Task({ of }: { of: string }) {
  const task = work(of);
  if (!task) return <span class="muted">a person</span>;
  return (
    <a class="link" href={`/runs/${encodeURIComponent(task.run)}/tasks/${encodeURIComponent(task.task)}`}>
      {task.run}/{task.task}
    </a>
  );
}
