// Drift: how far the ratings that arrive are from those that the model knows, over time, and what was done about it.

import { useMemo } from "preact/hooks";
import { query } from "../../api/client";
import type { Drift, DriftPoint } from "../../api/models";
import { useResource } from "../../api/use";
import { LineChart } from "../../charts/LineChart";
import type { Mark, Series, Threshold, XAxis } from "../../charts/model";
import { fixed } from "../../lib/figures";
import { full, useZone } from "../../lib/time";
import { Heading } from "../../parts/heading";
import { Empty, Loaded } from "../../parts/states";
import { useQuery } from "../../router";
import "../models/models.css";
import { inOrder, metricNames, retrainMarks, SUBJECTS, thresholdOf, title, valueOf } from "./facts";
import { Point } from "./point";

/** Looks that are drawn, the newest. */
const LIMIT = 200;

export function DriftPage() {
  const [pipeline, setPipeline] = useQuery("pipeline");
  const found = useResource<Drift>(query("/drift", { pipeline, limit: LIMIT }), (change) => change.kind === "run");
  const pipelines = found.data?.pipelines ?? [];
  return (
    <>
      <Heading title="Drift">
        {pipelines.length > 1 && (
          <label class="inline">
            <span class="muted">Pipeline</span>
            <select value={pipeline} onChange={(event) => setPipeline(event.currentTarget.value)}>
              <option value="">all</option>
              {pipelines.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
      </Heading>
      <Loaded of={found} rows={8}>
        {(drift) => {
          const points = inOrder(drift.points, pipeline);
          return points.length === 0 ? <Nothing /> : <Looks points={points} />;
        }}
      </Loaded>
    </>
  );
}

function Nothing() {
  return (
    <Empty title="Nobody has looked for drift yet">
      <p>
        A pipeline with the stage “detect_drift” does, such as <a href="/pipelines/drift-retrain">drift-retrain</a>: it compares the ratings that arrived with
        those that the model was trained on.
      </p>
    </Empty>
  );
}

function Looks({ points }: { points: DriftPoint[] }) {
  const [run, setRun] = useQuery("run");
  const zone = useZone();
  const place = points.findIndex((one) => one.run === run);
  const selected = place < 0 ? points.length - 1 : place;
  const x = useMemo<XAxis>(() => ({ kind: "time", at: points.map((one) => Date.parse(one.at)) }), [points]);
  const marks = useMemo(() => retrainMarks(points), [points]);
  const name = (index: number) => full(new Date(points[index]?.at ?? 0), zone);
  const common = { x, marks, name, selected, onSelect: (index: number) => setRun(points[index]?.run ?? "") };
  const chosen = points[selected];
  return (
    <div class="stack">
      <section class="card" aria-label="The score over time">
        <div class="body">
          <Score points={points} {...common} />
        </div>
      </section>
      {chosen && <Point point={chosen} />}
      <section class="card" aria-labelledby="metrics">
        <header>
          <h2 id="metrics">Each metric against its threshold</h2>
        </header>
        <div class="body charts">
          {metricNames(points).map((metric) => (
            <Metric key={metric} metric={metric} points={points} {...common} />
          ))}
        </div>
      </section>
    </div>
  );
}

interface Common {
  points: DriftPoint[];
  x: XAxis;
  marks: Mark[];
  name: (index: number) => string;
  selected: number;
  onSelect: (index: number) => void;
}

const format = (value: number) => fixed(value, 3);

function Score({ points, ...common }: Common) {
  const series = useMemo<Series[]>(() => [{ label: "Score", values: points.map((one) => one.score), tone: "first", format }], [points]);
  const threshold = points.findLast((one) => one.threshold !== null)?.threshold ?? null;
  const levels = useMemo<Threshold[]>(() => (threshold === null ? [] : [{ label: "a retrain is due above", value: threshold }]), [threshold]);
  return <LineChart {...common} title="Drift score" heading="Looked at" series={series} thresholds={levels} height={240} />;
}

/** A metric of the ratings and of the predictions, which share their threshold. */
function Metric({ metric, points, ...common }: Common & { metric: string }) {
  const series = useMemo<Series[]>(
    () =>
      SUBJECTS.map(([subject, label], place) => ({
        label,
        values: points.map((one) => valueOf(one, subject, metric)?.value ?? null),
        tone: place === 0 ? ("first" as const) : ("second" as const),
        format,
      })).filter((one) => one.values.some((value) => value !== null)),
    [metric, points],
  );
  const threshold = thresholdOf(points, metric);
  const levels = useMemo<Threshold[]>(() => (threshold === null ? [] : [{ label: "threshold", value: threshold }]), [threshold]);
  return <LineChart {...common} title={title(metric)} heading="Looked at" series={series} thresholds={levels} height={160} />;
}
