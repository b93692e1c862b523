// How the figures went from version to version: one small chart for each, since their units differ.

import { useMemo } from "preact/hooks";
import { LineChart } from "../../charts/LineChart";
import type { Series } from "../../charts/model";
import type { ModelVersion, Promotion } from "../../api/models";
import { figure, HEADLINES, metric, ordered } from "../../lib/figures";
import { navigate, useQuery } from "../../router";
import { axisNames, byAge, promotionMarks, versionName } from "./facts";

export function Trends({ versions, decisions }: { versions: ModelVersion[]; decisions: Promotion[] }) {
  const [more, setMore] = useQuery("metric");
  const aged = useMemo(() => byAge(versions), [versions]);
  const marks = useMemo(() => promotionMarks(aged, decisions), [aged, decisions]);
  const x = useMemo(() => ({ kind: "order" as const, labels: axisNames(aged.map((one) => one.version)) }), [aged]);
  const names = ordered(aged.flatMap((one) => Object.keys(one.metrics)));
  const others = names.filter((name) => !HEADLINES.some((headline) => headline === name));
  const shown = [...HEADLINES.filter((name) => names.includes(name)), ...(others.includes(more) ? [more] : [])];
  if (aged.length < 2 || shown.length === 0) return null;
  return (
    <section class="card" aria-labelledby="trends">
      <header>
        <h2 id="trends">Figures by version</h2>
        <label class="inline">
          <span class="muted">Also</span>
          <select value={more} onChange={(event) => setMore(event.currentTarget.value)}>
            <option value="">–</option>
            {others.map((name) => (
              <option key={name} value={name}>
                {metric(name).title}
              </option>
            ))}
          </select>
        </label>
      </header>
      <div class="body charts">
        {shown.map((name) => (
          <Trend key={name} name={name} versions={aged} x={x} marks={marks} />
        ))}
      </div>
    </section>
  );
}

function Trend({ name, versions, x, marks }: { name: string; versions: ModelVersion[]; x: { kind: "order"; labels: string[] }; marks: ReturnType<typeof promotionMarks> }) {
  const { title, better, unit } = metric(name);
  const series = useMemo<Series[]>(
    () => [{ label: title, values: versions.map((one) => one.metrics[name] ?? null), tone: "first", format: (value) => figure(name, value) }],
    [name, title, versions],
  );
  const nature = [unit ? `in ${unit}` : "", better === "none" ? "" : `${better} is better`].filter(Boolean).join(", ");
  return (
    <LineChart
      title={nature ? `${title}, ${nature}` : title}
      heading="Version"
      x={x}
      name={(index) => versionName(versions[index]?.version ?? "")}
      series={series}
      marks={marks}
      height={150}
      onSelect={(index) => navigate(`/models/${encodeURIComponent(versions[index]?.version ?? "")}`)}
    />
  );
}
