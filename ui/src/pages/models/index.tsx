// Models: which versions there are, how good they are, which one serves and why.

import { useState } from "preact/hooks";
import { query } from "../../api/client";
import type { ModelVersion, Promotion } from "../../api/models";
import type { Page } from "../../api/types";
import { useResource } from "../../api/use";
import { Heading } from "../../parts/heading";
import { Empty, Loaded } from "../../parts/states";
import { Tabs } from "../../parts/tabs";
import { useQuery } from "../../router";
import { useMay } from "../../session";
import { Current } from "./current";
import { Decisions } from "./decisions";
import "./models.css";
import { RollBack } from "./promote";
import { Trends } from "./trends";
import { Try } from "./try";
import { Versions } from "./versions";

const VIEWS: [string, string][] = [
  ["versions", "Versions"],
  ["decisions", "Decisions"],
  ["try", "Try it"],
];

export function ModelsPage() {
  const [folder] = useQuery("folder");
  const [view] = useQuery("view", "versions");
  const [rollingBack, setRollingBack] = useState(false);
  const mayOperate = useMay("operator");
  const versions = useResource<Page<ModelVersion>>(query("/models", { folder, limit: 500 }), (change) => change.kind === "model");
  const history = useResource<Page<Promotion>>(query("/models/history", { folder, limit: 500 }), (change) => change.kind === "model");
  const href = (name: string) => query("/models", { folder, view: name === "versions" ? null : name });
  const decisions = history.data?.items ?? [];
  const hasPrevious = decisions.some((one) => one.promoted && one.previous !== null);
  return (
    <>
      <Heading title="Models" after={folder ? <span class="badge">{folder}</span> : null}>
        {mayOperate && hasPrevious && (
          <button type="button" onClick={() => setRollingBack(true)}>
            Roll back
          </button>
        )}
      </Heading>
      <Loaded of={versions} rows={8}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing />
          ) : (
            <>
              <Current versions={items} decisions={decisions} />
              <Tabs label="Models" current={href(view)} tabs={VIEWS.map(([name, title]) => ({ href: href(name), name: title }))} />
              {view === "decisions" ? (
                <Loaded of={history}>{(found) => <Decisions decisions={found.items} />}</Loaded>
              ) : view === "try" ? (
                <Try folder={folder} />
              ) : (
                <div class="stack">
                  <Trends versions={items} decisions={decisions} />
                  <Versions versions={items} folder={folder} />
                </div>
              )}
            </>
          )
        }
      </Loaded>
      {rollingBack && <RollBack folder={folder} decisions={decisions} onClose={() => setRollingBack(false)} />}
    </>
  );
}

function Nothing() {
  return (
    <Empty title="No model has been trained here yet">
      <p>
        Run <a href="/pipelines/quickstart">quickstart</a>: it makes ratings, trains a first model and measures it. Every training adds a version.
      </p>
    </Empty>
  );
}
