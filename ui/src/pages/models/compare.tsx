// Two versions side by side, with what differs: figures (and which is better), parameters, training data.

import type { ComponentChildren } from "preact";
import { query } from "../../api/client";
import type { ModelDetails } from "../../api/models";
import { useResource } from "../../api/use";
import { figure, metric, ordered, whole } from "../../lib/figures";
import { Heading } from "../../parts/heading";
import { Empty, Loaded } from "../../parts/states";
import { useQuery } from "../../router";
import { ChangeOf } from "./decisions";
import { differences, versionName } from "./facts";

export function Compare({ folder }: { folder: string }) {
  const [a] = useQuery("a");
  const [b] = useQuery("b");
  const path = (version: string) => (version === "" ? null : query(`/models/${encodeURIComponent(version)}`, { folder }));
  const left = useResource<ModelDetails>(path(a));
  const right = useResource<ModelDetails>(path(b));
  const trail: [string, string][] = [[query("/models", { folder }), "Models"]];
  if (a === "" || b === "") {
    return (
      <>
        <Heading title="Compare" trail={trail} />
        <Empty title="Pick two versions">
          <a href={query("/models", { folder })}>The table of versions</a> has a box for each.
        </Empty>
      </>
    );
  }
  return (
    <>
      <Heading title="Compare two versions" trail={trail}>
        <a class="button" href={query("/models/compare", { a: b, b: a, folder })}>
          Swap
        </a>
      </Heading>
      <Loaded of={left}>{(first) => <Loaded of={right}>{(second) => <Both a={first} b={second} folder={folder} />}</Loaded>}</Loaded>
    </>
  );
}

function Both({ a, b, folder }: { a: ModelDetails; b: ModelDetails; folder: string }) {
  const names = ordered([...Object.keys(a.metrics), ...Object.keys(b.metrics)]);
  const elsewhere = a.measured_on !== b.measured_on || a.evaluations[0]?.ratings.fingerprint !== b.evaluations[0]?.ratings.fingerprint;
  const training = differences(about(a), about(b));
  return (
    <div class="stack">
      {elsewhere && <p class="note">The two were last measured on different test sets: their figures do not say which is better. Where a decision compared them, it did so on one test set.</p>}
      <section class="card">
        <div class="table-scroll" tabIndex={0} role="region" aria-label="Comparison">
          <table class="compare">
            <thead>
              <tr>
                <td />
                <Head of={a} folder={folder} />
                <Head of={b} folder={folder} />
                <th scope="col" class="right">
                  Change
                </th>
              </tr>
            </thead>
            <Group title="Figures">
              {names.map((name) => (
                <tr key={name}>
                  <th scope="row">{metric(name).title}</th>
                  <td class="num right">{figure(name, a.metrics[name])}</td>
                  <td class="num right">{figure(name, b.metrics[name])}</td>
                  <td class="num right">
                    <ChangeOf name={name} before={a.metrics[name]} after={b.metrics[name]} />
                  </td>
                </tr>
              ))}
            </Group>
            <Rows title="Parameters" rows={differences(a.params, b.params)} />
            <Rows title="Training data" rows={training} />
          </table>
        </div>
      </section>
    </div>
  );
}

function Head({ of, folder }: { of: ModelDetails; folder: string }) {
  return (
    <th scope="col" class="right">
      <a class="link" href={query(`/models/${encodeURIComponent(of.version)}`, { folder })}>
        {versionName(of.version)}
      </a>{" "}
      {of.current && <span class="badge badge-current">current</span>}
    </th>
  );
}

function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <tbody>
      <tr class="group">
        <th scope="rowgroup" colSpan={4}>
          {title}
        </th>
      </tr>
      {children}
    </tbody>
  );
}

function Rows({ title, rows }: { title: string; rows: ReturnType<typeof differences> }) {
  return (
    <Group title={title}>
      {rows.map((row) => (
        <tr key={row.name} class={row.differs ? "differs" : undefined}>
          <th scope="row">{row.name}</th>
          <td class="num right">{row.a}</td>
          <td class="num right">{row.b}</td>
          <td class="right">{row.differs ? "differs" : <span class="muted">same</span>}</td>
        </tr>
      ))}
    </Group>
  );
}

function about(of: ModelDetails): Record<string, string> {
  return {
    dataset: of.dataset?.path ?? "–",
    fingerprint: of.dataset ? `${of.dataset.fingerprint.slice(0, 12)}…` : "–",
    ratings: whole(of.ratings),
    users: whole(of.users),
    items: whole(of.items),
  };
}
