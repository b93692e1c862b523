// A pipeline: its views have addresses of their own.

import type { PageProps } from "../app";
import { at, post } from "../api/client";
import type { PipelineDetail } from "../api/types";
import { useResource } from "../api/use";
import { useKeys } from "../keys";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icons";
import { Empty, Loaded } from "../parts/states";
import { Status } from "../parts/status";
import { Tabs } from "../parts/tabs";
import { toast, toastProblem } from "../parts/toast";
import { navigate } from "../router";
import { useMay } from "../session";
import { GraphTab, GridTab } from "./pipeline/drawn";
import { RunForm } from "./pipeline/run-form";
import { ScheduleTab } from "./pipeline/schedule";
import { SourceTab } from "./pipeline/source";
import { RunList } from "./runs/list";

const VIEWS = ["grid", "graph", "runs", "schedule", "source"];
const NAMES: Record<string, string> = { grid: "Grid", graph: "Graph", runs: "Runs", schedule: "Schedule", source: "Source" };

export function PipelinePage({ params }: PageProps) {
  const name = params.pipeline ?? "";
  const view = params.view ?? "grid";
  const found = useResource<PipelineDetail>(at`/pipelines/${name}`, (change) => change.pipeline === name && change.kind !== "task");
  return (
    <>
      <PipelineHeading name={name} found={found.data} reload={found.reload} />
      <Tabs label="Views of the pipeline" current={at`/pipelines/${name}/${view}`} tabs={VIEWS.map((one) => ({ href: at`/pipelines/${name}/${one}`, name: NAMES[one] ?? one }))} />
      <Loaded of={found}>{(pipeline) => <View pipeline={pipeline} view={view} />}</Loaded>
    </>
  );
}

function View({ pipeline, view }: { pipeline: PipelineDetail; view: string }) {
  switch (view) {
    case "grid":
      return <GridTab pipeline={pipeline} />;
    case "graph":
      return <GraphTab pipeline={pipeline} />;
    case "runs":
      return <RunList pipeline={pipeline.pipeline} />;
    case "schedule":
      return <ScheduleTab pipeline={pipeline} />;
    case "source":
      return <SourceTab pipeline={pipeline.pipeline} />;
    case "run":
      return <RunForm pipeline={pipeline} />;
    default:
      return <Empty title="There is no such view">{view}</Empty>;
  }
}

function PipelineHeading({ name, found, reload }: { name: string; found: PipelineDetail | undefined; reload: () => void }) {
  const may = useMay("operator");
  useKeys(may ? [{ key: "r", does: "run this pipeline", run: () => navigate(at`/pipelines/${name}/run`) }] : []);
  const pause = () =>
    post(at`/pipelines/${name}/${found?.paused ? "unpause" : "pause"}`).then(() => {
      toast(found?.paused ? "It starts by itself again" : "Paused: it no longer starts by itself");
      reload();
    }, toastProblem);
  return (
    <>
      <Heading title={name} trail={[["/", "Pipelines"]]} after={found?.paused && <Status status="paused" />}>
        {may && found && found.schedule.length > 0 && (
          <button type="button" onClick={() => void pause()}>
            <Icon name={found.paused ? "play" : "pause"} /> {found.paused ? "Unpause" : "Pause"}
          </button>
        )}
        {may && (
          <a class="button primary" href={at`/pipelines/${name}/run`}>
            <Icon name="play" /> Run
          </a>
        )}
      </Heading>
      {found && <About pipeline={found} />}
    </>
  );
}

function About({ pipeline }: { pipeline: PipelineDetail }) {
  return (
    <div class="about">
      {pipeline.description && <p>{pipeline.description}</p>}
      <p class="muted">
        {[...pipeline.schedule, pipeline.file].filter((one) => one !== null).map((one) => (
          <span key={one}>{one}</span>
        ))}
        {pipeline.tags.map((tag) => (
          <a key={tag} class="tag" href={`/?tag=${encodeURIComponent(tag)}`}>
            {tag}
          </a>
        ))}
      </p>
      {pipeline.error && (
        <p class="notice tone-bad" role="alert">
          The file is not valid now; the last valid version stays in force. <a href={at`/pipelines/${pipeline.pipeline}/source`}>{pipeline.error}</a>
        </p>
      )}
    </div>
  );
}
