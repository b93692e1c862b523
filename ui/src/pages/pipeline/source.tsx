// The text of a pipeline with what is wrong with it; its versions, and what changed between two.

import { useMemo } from "preact/hooks";
import { at } from "../../api/client";
import type { Page, SourceText, Version } from "../../api/types";
import { useResource } from "../../api/use";
import { diff, hunks } from "../../lib/diff";
import { plural } from "../../lib/format";
import { Code, CodeLine, Elsewhere } from "../../parts/code";
import { Empty, Loaded } from "../../parts/states";
import { Time } from "../../parts/time";
import { setQuery, useQuery } from "../../router";

export function SourceTab({ pipeline }: { pipeline: string }) {
  const [left] = useQuery("from");
  const [right] = useQuery("to");
  const versions = useResource<Page<Version>>(at`/pipelines/${pipeline}/versions`, (change) => change.pipeline === pipeline && change.kind === "pipeline");
  return (
    <div class="source">
      {left !== "" || right !== "" ? <Compare pipeline={pipeline} left={left} right={right} /> : <Source pipeline={pipeline} />}
      <Loaded of={versions}>{(page) => <Versions versions={page.items} left={left} right={right} />}</Loaded>
    </div>
  );
}

function Source({ pipeline }: { pipeline: string }) {
  const source = useResource<SourceText>(at`/pipelines/${pipeline}/source`, (change) => change.pipeline === pipeline && change.kind === "pipeline");
  return (
    <section class="card">
      <Loaded of={source} rows={12}>
        {({ file, text, diagnostics }) => (
          <>
            <header>
              <h2 class="mono">{file ?? "no file"}</h2>
              <span class="muted">{diagnostics.length === 0 ? "valid" : plural(diagnostics.length, "finding")}</span>
            </header>
            <Elsewhere diagnostics={diagnostics} lines={text.split("\n").length} />
            <Code text={text} diagnostics={diagnostics} label="Source" />
          </>
        )}
      </Loaded>
    </section>
  );
}

function Versions({ versions, left, right }: { versions: Version[]; left: string; right: string }) {
  return (
    <section class="card versions">
      <header>
        <h2>Versions</h2>
        {(left !== "" || right !== "") && (
          <button type="button" onClick={() => setQuery({ from: "", to: "" })}>
            The file now
          </button>
        )}
      </header>
      {versions.length === 0 && <Empty title="No versions yet">Each text that ran is kept.</Empty>}
      <ol>
        {versions.map((version, i) => {
          const before = versions[i + 1];
          const isShown = String(version.id) === right;
          return (
            <li key={version.id} class={isShown ? "chosen" : undefined}>
              <span class="mono">{version.hash.slice(0, 8)}</span>
              <Time at={version.at} />
              <button type="button" class="quiet" aria-pressed={isShown} onClick={() => setQuery({ from: before ? String(before.id) : "none", to: String(version.id) })}>
                {before ? "what changed" : "show"}
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function Compare({ pipeline, left, right }: { pipeline: string; left: string; right: string }) {
  const path = (id: string) => (id === "" || id === "none" ? null : at`/pipelines/${pipeline}/versions/${id}`);
  const before = useResource<Version>(path(left));
  const after = useResource<Version>(path(right));
  const isFirst = path(left) === null;
  return (
    <section class="card">
      <header>
        <h2>{isFirst ? "The first version" : "What changed"}</h2>
        <Time at={after.data?.at} as="full" />
      </header>
      <Loaded of={after}>
        {(to) => (isFirst ? <Code text={to.text ?? ""} label="Source" /> : <Loaded of={before}>{(from) => <Diff before={from.text ?? ""} after={to.text ?? ""} />}</Loaded>)}
      </Loaded>
    </section>
  );
}

const SIGNS = { same: " ", removed: "−", added: "+" } as const;

function Diff({ before, after }: { before: string; after: string }) {
  const groups = useMemo(() => hunks(diff(before, after)), [before, after]);
  if (groups.length === 0) return <Empty title="Nothing changed">The texts are the same.</Empty>;
  return (
    <div class="code diff" role="region" aria-label="Difference" tabIndex={0}>
      {groups.map((lines, i) => (
        <div key={i} class="hunk">
          {lines.map((line, j) => (
            <div key={j} class={`diff-line ${line.kind}`}>
              <span class="line-number" aria-hidden="true">
                {line.old ?? ""}
              </span>
              <span class="line-number" aria-hidden="true">
                {line.new ?? ""}
              </span>
              <span class="sign">
                {SIGNS[line.kind]}
                {line.kind !== "same" && <span class="sr-only">{line.kind}</span>}
              </span>
              <CodeLine number={null} line={line.text} />
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}
