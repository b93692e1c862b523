// Series that a task recorded, such as the loss by sweep: small multiples, and their last value.

import type { Series } from "../../api/types";
import { figure } from "../../lib/format";

export function Metrics({ series }: { series: Series[] }) {
  return (
    <section class="card">
      <header>
        <h2>Metrics</h2>
      </header>
      <div class="body multiples">
        {series.map((one) => (
          <Course key={one.name} series={one} />
        ))}
      </div>
    </section>
  );
}

const [WIDTH, HEIGHT] = [240, 72];

function Course({ series }: { series: Series }) {
  const points = series.points.filter((point): point is [number, number] => point[1] !== null);
  const last = points.at(-1);
  const xs = points.map(([step]) => step);
  const ys = points.map(([, value]) => value);
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const x = (step: number) => 4 + ((step - left) / (right - left || 1)) * (WIDTH - 8);
  const y = (value: number) => HEIGHT - 6 - ((value - low) / (high - low || 1)) * (HEIGHT - 12);
  const label = `${series.name}: ${points.length} points, from ${figure(ys[0])} to ${figure(last?.[1])}`;
  return (
    <figure>
      <figcaption>
        <span class="mono">{series.name}</span> <strong class="num">{figure(last?.[1])}</strong>
      </figcaption>
      {points.length > 1 && (
        <svg class="course" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
          <title>{label}</title>
          <polyline points={points.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ")} />
          {last && <circle cx={x(last[0])} cy={y(last[1])} r={2.5} />}
        </svg>
      )}
    </figure>
  );
}
