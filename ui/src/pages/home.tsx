// All pipelines: how their last runs went, when they fire next, what runs now; what failed stands first.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { at, post } from "../api/client";
import type { Overview, Page, PipelineCard } from "../api/types";
import { useResource } from "../api/use";
import { useKeys } from "../keys";
import { plural } from "../lib/format";
import { needsAttention } from "../lib/status";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icons";
import { Empty, Loaded } from "../parts/states";
import { toast, toastProblem } from "../parts/toast";
import { navigate, useQuery } from "../router";
import { useMay } from "../session";
import { NowRunning, RecentFailures } from "./home/now";
import { PipelineRow } from "./home/row";

export function HomePage() {
  const pipelines = useResource<Page<PipelineCard>>("/pipelines?limit=500", (change) => change.kind !== "model" && change.kind !== "task");
  const overview = useResource<Overview>("/overview", (change) => change.kind === "run" || change.kind === "task");
  const [search, setSearch] = useQuery("search");
  const [tag, setTag] = useQuery("tag");
  const field = useRef<HTMLInputElement>(null);
  const cards = useMemo(() => ordered(pipelines.data?.items ?? [], search, tag), [pipelines.data, search, tag]);
  const tags = [...new Set((pipelines.data?.items ?? []).flatMap((card) => card.tags))].sort();
  const chosen = useChoice(cards);
  useKeys([{ key: "/", does: "search", run: () => field.current?.focus() }]);
  return (
    <>
      <Heading title="Pipelines">
        <label class="search">
          <Icon name="search" />
          <span class="sr-only">Search pipelines</span>
          <input
            ref={field}
            type="search"
            placeholder="Search  /"
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
            onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
          />
        </label>
      </Heading>
      {overview.data && overview.data.daemon?.alive !== true && <NoDaemon />}
      {tags.length > 0 && <Tags tags={tags} chosen={tag} choose={setTag} />}
      <div class="home">
        <Loaded of={pipelines} rows={8}>
          {(page) =>
            page.items.length === 0 ? (
              <NoPipelines />
            ) : cards.length === 0 ? (
              <Empty title="No pipeline matches">Search looks at names, descriptions and tags.</Empty>
            ) : (
              <PipelineTable cards={cards} chosen={chosen} reload={pipelines.reload} />
            )
          }
        </Loaded>
        <aside class="stack" aria-label="Now">
          {overview.data && <NowRunning overview={overview.data} />}
          {overview.data && <RecentFailures failures={overview.data.failures} />}
        </aside>
      </div>
    </>
  );
}

/** What needs a person first, then what runs, then by name. */
function ordered(cards: PipelineCard[], search: string, tag: string): PipelineCard[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (card: PipelineCard) => [card.pipeline, card.description ?? "", ...card.tags].join(" ").toLowerCase();
  const rank = (card: PipelineCard) => (card.error || needsAttention(card.last?.status ?? "") ? 0 : card.running > 0 ? 1 : 2);
  return cards
    .filter((card) => (tag === "" || card.tags.includes(tag)) && words.every((word) => text(card).includes(word)))
    .toSorted((a, b) => rank(a) - rank(b) || a.pipeline.localeCompare(b.pipeline, "en", { numeric: true }));
}

/** The row that keys act on. */
function useChoice(cards: PipelineCard[]): string | null {
  const [chosen, setChosen] = useState<string | null>(null);
  const mayRun = useMay("operator");
  const place = cards.findIndex((card) => card.pipeline === chosen);
  const step = (by: number) => {
    const to = cards[Math.min(cards.length - 1, Math.max(0, place + by))];
    if (to) setChosen(to.pipeline);
  };
  useEffect(() => {
    if (chosen === null) return;
    const link = document.querySelector<HTMLElement>(`[data-pipeline="${CSS.escape(chosen)}"] .pipeline-name`);
    link?.focus();
    link?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  useKeys([
    { key: "j", does: "next pipeline", run: () => step(1) },
    { key: "k", does: "previous pipeline", run: () => step(-1) },
    ...(mayRun ? [{ key: "r", does: "run the chosen pipeline", run: () => place >= 0 && navigate(at`/pipelines/${chosen ?? ""}/run`) }] : []),
  ]);
  return place >= 0 ? chosen : null;
}

function PipelineTable({ cards, chosen, reload }: { cards: PipelineCard[]; chosen: string | null; reload: () => void }) {
  const pause = (card: PipelineCard) =>
    post(at`/pipelines/${card.pipeline}/${card.paused ? "unpause" : "pause"}`).then(() => {
      toast(card.paused ? `${card.pipeline} goes on` : `${card.pipeline} is paused: it no longer starts by itself`);
      reload();
    }, toastProblem);
  return (
    <ul class="pipelines card" aria-label={plural(cards.length, "pipeline")}>
      {cards.map((card) => (
        <PipelineRow key={card.pipeline} card={card} chosen={card.pipeline === chosen} pause={() => void pause(card)} />
      ))}
    </ul>
  );
}

function Tags({ tags, chosen, choose }: { tags: string[]; chosen: string; choose: (tag: string) => void }) {
  return (
    <div class="tags" role="group" aria-label="Tags">
      {tags.map((tag) => (
        <button key={tag} type="button" class="toggle" aria-pressed={tag === chosen} onClick={() => choose(tag === chosen ? "" : tag)}>
          {tag}
        </button>
      ))}
    </div>
  );
}

function NoPipelines() {
  return (
    <Empty title="No pipelines yet">
      <p>
        A pipeline is a YAML file in the folder <code>pipelines/</code> of the workspace.
      </p>
      <p>
        <code>recflow init</code> puts some there that work; <code>recflow run quickstart</code> makes its own data.
      </p>
    </Empty>
  );
}

function NoDaemon() {
  return (
    <p class="notice tone-warn" role="status">
      No daemon is at work: nothing starts by itself until <code>recflow daemon</code> runs.
    </p>
  );
}
