// One pipeline in the list.

import { at } from "../../api/client";
import type { PipelineCard } from "../../api/types";
import { duration, percent, plural } from "../../lib/format";
import { dstWords } from "../../lib/time";
import { Icon } from "../../parts/icons";
import { Status } from "../../parts/status";
import { Sparkline, Strip } from "../../parts/strip";
import { Time } from "../../parts/time";
import { useMay } from "../../session";

export function PipelineRow({ card, chosen, pause }: { card: PipelineCard; chosen: boolean; pause: () => void }) {
  const times = card.results.flatMap((result) => (result.status === "succeeded" && result.seconds !== null ? [result.seconds] : []));
  return (
    <li class={`pipeline ${chosen ? "chosen" : ""}`} data-pipeline={card.pipeline}>
      <div class="pipeline-about">
        <div class="pipeline-title">
          <a class="pipeline-name" href={at`/pipelines/${card.pipeline}`}>
            {card.pipeline}
          </a>
          {card.tags.map((tag) => (
            <a key={tag} class="tag" href={`/?tag=${encodeURIComponent(tag)}`}>
              {tag}
            </a>
          ))}
        </div>
        {card.error ? (
          <p class="pipeline-error">
            <a href={at`/pipelines/${card.pipeline}/source`}>The file is not valid: {card.error}</a>
          </p>
        ) : (
          <p class="muted pipeline-description">{card.description}</p>
        )}
      </div>
      <div class="pipeline-strip">
        <Strip pipeline={card.pipeline} results={card.results} />
      </div>
      <Figures card={card} times={times} />
      <Next card={card} />
      <Buttons card={card} pause={pause} />
    </li>
  );
}

function Figures({ card, times }: { card: PipelineCard; times: number[] }) {
  if (card.results.length === 0) return <div />;
  return (
    <div class="pipeline-figures">
      <Sparkline values={times} label={`Durations: ${duration(Math.min(...times))} to ${duration(Math.max(...times))}`} />
      <span class="num" title="Of the runs shown, so many succeeded; and their median duration">
        {percent(card.success_rate)} <span class="muted">· {duration(card.median_seconds)}</span>
      </span>
    </div>
  );
}

/** What it does now, else how it ended last and when it fires next. */
function Next({ card }: { card: PipelineCard }) {
  const { last } = card;
  return (
    <div class="pipeline-next">
      {card.running > 0 || card.queued > 0 ? (
        <a href={last ? at`/runs/${last.run}` : at`/pipelines/${card.pipeline}/runs`}>
          <Status status={card.running > 0 ? "running" : "queued"} />
          {card.running + card.queued > 1 && <span class="muted"> {[card.running && `${card.running} running`, card.queued && `${card.queued} queued`].filter(Boolean).join(", ")}</span>}
        </a>
      ) : last ? (
        <a href={at`/runs/${last.run}`}>
          <Status status={last.status} reason={last.reason} /> <Time at={last.ended_at ?? last.created_at} as="relative" />
        </a>
      ) : (
        <span class="muted">never ran</span>
      )}
      <span class="muted">
        {card.paused ? (
          "paused"
        ) : card.next ? (
          <a href={at`/pipelines/${card.pipeline}/schedule`} title={card.schedule.join("\n")}>
            next <Time at={card.next} as="relative" />
            {card.next_dst && (
              <span class="dst" title={dstWords(card.next_dst)}>
                {" "}
                DST
              </span>
            )}
          </a>
        ) : card.schedule.length > 0 ? (
          <span title={card.schedule.join("\n")}>{plural(card.schedule.length, "trigger")}</span>
        ) : (
          "by hand"
        )}
      </span>
    </div>
  );
}

function Buttons({ card, pause }: { card: PipelineCard; pause: () => void }) {
  const may = useMay("operator");
  if (!may) return null;
  const starts = card.schedule.length > 0;
  return (
    <div class="pipeline-buttons">
      {starts && (
        <button type="button" class="switch" role="switch" aria-checked={!card.paused} aria-label={`${card.pipeline} starts by itself`} title={card.paused ? "Paused" : "Starts by itself"} onClick={pause} />
      )}
      <a class="button" href={at`/pipelines/${card.pipeline}/run`} aria-label={`Run ${card.pipeline}`}>
        <Icon name="play" /> Run
      </a>
    </div>
  );
}
