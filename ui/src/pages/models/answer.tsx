// What the model recommended: items with their scores, and whether it was the model that answered at all.

import type { Recommendation, Recommendations } from "../../api/models";
import { fixed } from "../../lib/figures";
import { Table } from "../../parts/table";
import { versionName } from "./facts";

const FALLBACKS: Record<string, [string, string]> = {
  popular: ["the most popular items: the model does not know this user", "popular"],
  mean: ["the mean rating: the model does not know this user or item", "mean"],
};

/** Why an answer is not the model's; nothing where it is. */
export function Fallback({ name, short = false }: { name: string | null | undefined; short?: boolean }) {
  if (!name) return null;
  const [long, brief] = FALLBACKS[name] ?? [name, name];
  return <span class="status tone-warn">{short ? brief : `These are ${long}.`}</span>;
}

export function Answer({ answer, of }: { answer: Recommendations; of: string }) {
  const high = Math.max(...answer.items.map((one) => one.score), 0);
  const named = answer.items.some((one) => one.name);
  return (
    <>
      <p class="muted">
        For {of}, by {versionName(answer.version)}
      </p>
      {answer.fallback && (
        <p>
          <Fallback name={answer.fallback} />
        </p>
      )}
      {answer.unknown_items && answer.unknown_items.length > 0 && <p class="muted">Unknown to the model: {answer.unknown_items.join(", ")}</p>}
      {answer.items.length === 0 ? (
        <p>Nothing is left to recommend.</p>
      ) : (
        <Table
          caption={`Recommendations for ${of}`}
          rows={answer.items.map((one, place) => ({ ...one, place: place + 1 }))}
          rowKey={(one) => one.place}
          columns={[
            { name: "#", numeric: true, by: (one) => one.place, cell: (one) => one.place },
            { name: "Item", cell: (one) => one.item },
            ...(named ? [{ name: "Name", cell: (one: Recommendation) => one.name ?? "–" }] : []),
            { name: "Score", numeric: true, by: (one) => one.score, cell: (one) => <Score score={one.score} high={high} /> },
          ]}
        />
      )}
    </>
  );
}

function Score({ score, high }: { score: number; high: number }) {
  const width = high > 0 ? Math.max(0, Math.min(1, score / high)) * 48 : 0;
  return (
    <span class="score">
      <svg width="48" height="8" aria-hidden="true">
        <rect width={width} height="8" rx="1" />
      </svg>
      {fixed(score, 3)}
    </span>
  );
}
