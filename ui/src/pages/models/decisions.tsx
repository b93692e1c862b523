// What was decided about versions, the newest first: who was promoted, who lost, who was gone back to, and the figures that decided.

import type { Promotion } from "../../api/models";
import { change, figure, metric, share, whole } from "../../lib/figures";
import { Empty } from "../../parts/states";
import { Time } from "../../parts/time";
import { By } from "./current";
import { versionName } from "./facts";

export function Decisions({ decisions }: { decisions: Promotion[] }) {
  if (decisions.length === 0) {
    return <Empty title="Nothing was decided yet">The stage “promote” compares a new version with the one that serves; a person may promote one here.</Empty>;
  }
  return (
    <ol class="decisions">
      {decisions.map((one) => (
        <li key={one.number} class="card">
          <Decision decision={one} />
        </li>
      ))}
    </ol>
  );
}

const VERBS = { comparison: "was promoted", person: "was promoted by a person", rollback: "was gone back to" } as const;

function Decision({ decision }: { decision: Promotion }) {
  const verb = decision.promoted ? VERBS[decision.decision] : "was not promoted";
  return (
    <article class="body decision">
      <p>
        <span class={`status ${decision.promoted ? "tone-good" : "tone-quiet"}`}>
          <span aria-hidden="true">{decision.decision === "rollback" ? "↺" : decision.promoted ? "▲" : "–"}</span>
        </span>{" "}
        <a class="num" href={`/models/${encodeURIComponent(decision.version)}`}>
          <strong>{versionName(decision.version)}</strong>
        </a>{" "}
        {verb}
        {decision.promoted && decision.previous && (
          <>
            , in place of <span class="num">{versionName(decision.previous)}</span>
          </>
        )}
      </p>
      <p class="muted">
        <Time at={decision.decided_at} as="full" /> <By decision={decision} />
      </p>
      <p>{decision.reason}</p>
      {decision.comparison && <Compared of={decision.comparison} />}
    </article>
  );
}

/** Champion and challenger side by side. */
export function Compared({ of }: { of: NonNullable<Promotion["comparison"]> }) {
  const rows: [string, (of: NonNullable<Promotion["comparison"]>["challenger"]) => number | null][] = [
    [of.metric, (one) => one.value],
    ...(of.metric === "rmse" ? [] : ([["rmse", (one) => one.rmse]] as [string, (one: { rmse: number | null }) => number | null][])),
    ["mae", (one) => one.mae],
  ];
  return (
    <details>
      <summary>
        Compared on {whole(of.pairs)} ratings of <span class="mono">{of.ratings.path}</span>
      </summary>
      <table class="compare">
        <thead>
          <tr>
            <td />
            <th scope="col" class="right">
              Champion
            </th>
            <th scope="col" class="right">
              Challenger
            </th>
            <th scope="col" class="right">
              Change
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, value]) => {
            const [before, after] = [of.champion ? value(of.champion) : null, value(of.challenger)];
            return (
              <tr key={name}>
                <th scope="row">{metric(name).title}</th>
                <td class="num right">{figure(name, before)}</td>
                <td class="num right">{figure(name, after)}</td>
                <td class="num right">
                  <ChangeOf name={name} before={before} after={after} />
                </td>
              </tr>
            );
          })}
          <tr>
            <th scope="row">Can score of the test set</th>
            <td class="num right">{share(of.champion?.coverage)}</td>
            <td class="num right">{share(of.challenger.coverage)}</td>
            <td />
          </tr>
        </tbody>
      </table>
    </details>
  );
}

/** A change with its direction as a word too: colour alone tells nothing to many. */
export function ChangeOf({ name, before, after }: { name: string; before: number | null | undefined; after: number | null | undefined }) {
  const found = change(name, before, after);
  if (!found) return <span class="muted">–</span>;
  const tone = found.verdict === "better" ? "tone-good" : found.verdict === "worse" ? "tone-bad" : "tone-quiet";
  return (
    <span class={`change ${tone}`}>
      {found.text}
      {found.verdict !== "same" && <span class="change-word"> {found.verdict}</span>}
    </span>
  );
}
