// One look: what was decided and why, the metrics, and how people rated before and now.

import type { DriftPoint } from "../../api/models";
import { Histogram } from "../../charts/Histogram";
import { fixed } from "../../lib/figures";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { metricNames, sides, title } from "./facts";

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
  return (
    <Table
      caption="Metrics of this look"
      rows={metricNames([point])}
      rowKey={(name) => name}
      columns={[
        { name: "Metric", cell: title },
        { name: "Value", numeric: true, by: (name) => point.metrics[name]?.value ?? null, cell: (name) => fixed(point.metrics[name]?.value, 3) },
        { name: "Threshold", numeric: true, cell: (name) => fixed(point.metrics[name]?.threshold, 2) },
        {
          name: "Verdict",
          silent: true,
          cell: (name) => (point.metrics[name]?.over ? <span class="status tone-bad">over</span> : <span class="muted">below</span>),
        },
      ]}
    />
  );
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
