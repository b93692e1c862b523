// The pages and their addresses.

import type { ComponentType } from "preact";
import type { Session } from "./api/types";
import { useResource } from "./api/use";
import { DataPage } from "./pages/data";
import { DriftPage } from "./pages/drift";
import { HomePage } from "./pages/home";
import { ModelPage } from "./pages/models/version";
import { ModelsPage } from "./pages/models";
import { PipelinePage } from "./pages/pipeline";
import { ReportsPage } from "./pages/reports";
import { RunPage } from "./pages/run";
import { RunsPage } from "./pages/runs";
import { SystemPage } from "./pages/system";
import { TaskPage } from "./pages/task";
import { Boundary } from "./parts/boundary";
import { Heading } from "./parts/heading";
import { Empty } from "./parts/states";
import { match, useRoute } from "./router";
import { SessionContext } from "./session";
import { Shell } from "./shell";

/** Values that an address holds, by the names of its pattern. */
export interface PageProps {
  params: Record<string, string>;
}

/** The first that matches has the page. */
const PAGES: [string, ComponentType<PageProps>][] = [
  ["/", HomePage],
  ["/runs", RunsPage],
  ["/pipelines/:pipeline", PipelinePage],
  ["/pipelines/:pipeline/:view", PipelinePage],
  ["/runs/:run", RunPage],
  ["/runs/:run/:view", RunPage],
  ["/runs/:run/tasks/:task", TaskPage],
  ["/models", ModelsPage],
  ["/models/:version", ModelPage],
  ["/drift", DriftPage],
  ["/data", DataPage],
  ["/reports", ReportsPage],
  ["/reports/:report", ReportsPage],
  ["/system", SystemPage],
  ["/system/:view", SystemPage],
];

function Missing() {
  return (
    <>
      <Heading title="There is no page here" />
      <Empty title="Nothing has this address">
        <a href="/">All pipelines</a>
      </Empty>
    </>
  );
}

function page(path: string) {
  for (const [pattern, Page] of PAGES) {
    const params = match(pattern, path);
    if (!params) continue;
    // Views of one thing are one page: it stays while one goes between them.
    const key = pattern.split("/").slice(0, 3).join("/") + Object.values(params)[0];
    return (
      <Boundary key={key}>
        <Page params={params} />
      </Boundary>
    );
  }
  return <Missing />;
}

export function App() {
  const { path } = useRoute();
  const session = useResource<Session>("/session");
  return (
    <SessionContext.Provider value={session.data ?? null}>
      <Shell path={path}>{page(path)}</Shell>
    </SessionContext.Provider>
  );
}
