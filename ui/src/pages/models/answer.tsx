// What the model recommended: items with their scores, and whether it was the model that answered at all.

import type { Recommendations } from "../../api/models";
import { fixed, whole } from "../../lib/figures";
import { Table } from "../../parts/table";
import { versionName } from "./facts";

/** Why an answer is not the model's. */
const FALLBACKS: Record<string, string> = {
  popular: "The model does not know this user: these are the most popular items, by the number of their ratings.",
};

export function Answer({ answer, of }: { answer: Recommendations; of: string }) {
  const high = Math.max(...answer.items.map((one) => one.score), 0);
  return (
    <>
      <p class="muted">
        For {of}, by {versionName(answer.version)}
      </p>
      {answer.fallback && (
        <p class="note">{FALLBACKS[answer.fallback] ?? `This is not of the model: ${answer.fallback}.`}</p>
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
            { name: answer.fallback === "popular" ? "Ratings" : "Score", numeric: true, by: (one) => one.score, cell: (one) => <Score score={one.score} high={high} /> },
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
      {Number.isInteger(score) ? whole(score) : fixed(score, 3)}
    </span>
  );
}
