// One look: what was decided and why, the metrics, and how people rated before and now.

import type { DriftMetric, DriftPoint } from "../../api/models";
import { Histogram } from "../../charts/Histogram";
import { fixed } from "../../lib/figures";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { metricNames, sides, SUBJECTS, thresholdOf, title, valueOf } from "./facts";

export function Point({ point }: { point: DriftPoint }) {
  const run = `/runs/${encodeURIComponent(point.run)}`;
  return (
    <section class="card" aria-labelledby="look">
      <header>
        <h2 id="look">
          Look of <Time at={point.at} as="full" />
        </h2>
        <span>
          <a class="link" href={run}>
            run {point.run}
          </a>{" "}
          <span class="muted">of</span>{" "}
          <a class="link" href={`/pipelines/${encodeURIComponent(point.pipeline)}`}>
            {point.pipeline}
          </a>
        </span>
      </header>
      <div class="body columns">
        <div class="stack">
          <Decision point={point} />
          <Metrics point={point} />
        </div>
        {point.histograms ? <Ratings histograms={point.histograms} /> : <p class="muted">The histograms of this look were not kept.</p>}
      </div>
    </section>
  );
}

function Decision({ point }: { point: DriftPoint }) {
  const [tone, words] = point.retrained
    ? ["tone-good", "Drifted, and a model was trained anew"]
    : point.should_retrain
      ? ["tone-warn", "Drifted: a retrain is due"]
      : ["tone-quiet", "No retrain was due"];
  return (
    <div>
      <p class={`status ${tone}`}>
        <span aria-hidden="true">{point.retrained ? "▲" : point.should_retrain ? "◆" : "–"}</span> {words}
      </p>
      <ul class="reasons">
        {point.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </div>
  );
}

function Metrics({ point }: { point: DriftPoint }) {
  const names = metricNames([point]);
  if (names.length === 0) return null;
  return (
    <Table
      caption="Metrics of this look"
      rows={names}
      rowKey={(name) => name}
      columns={[
        { name: "Metric", cell: title },
        ...SUBJECTS.map(([subject, words]) => ({ name: `Of ${words}`, numeric: true, cell: (name: string) => <Value of={valueOf(point, subject, name)} /> })),
        { name: "Threshold", numeric: true, cell: (name: string) => fixed(thresholdOf([point], name), 2) },
      ]}
    />
  );
}

function Value({ of }: { of: DriftMetric | null }) {
  if (!of) return <span class="muted">–</span>;
  return of.over ? <span class="status tone-bad">{fixed(of.value, 3)} over</span> : <span>{fixed(of.value, 3)}</span>;
}

function Ratings({ histograms }: { histograms: NonNullable<DriftPoint["histograms"]> }) {
  const { classes, original, current } = sides(histograms);
  return (
    <Histogram
      title="Ratings: those the model was trained on, and those that arrived"
      heading="Rating"
      classes={classes}
      groups={[
        { label: "trained on", shares: original },
        { label: "arrived", shares: current },
      ]}
    />
  );
}
