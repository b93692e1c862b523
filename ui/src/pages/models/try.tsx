// Asking the current model: what it recommends to a user, to somebody new, and what it predicts for pairs.

import { useState } from "preact/hooks";
import { get, post, Problem, query } from "../../api/client";
import type { Prediction, Predictions, Recommendations, Serving } from "../../api/models";
import { useResource } from "../../api/use";
import { fixed, whole } from "../../lib/figures";
import { Loaded, ProblemBox } from "../../parts/states";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { Answer } from "./answer";
import { id, parsePairs, parseRatings, versionName } from "./facts";

/** Items that are asked for unless told otherwise, and at most. */
const K = 10;
const K_MAX = 100;

export function Try({ folder }: { folder: string }) {
  const serving = useResource<Serving>(query("/models/current/serving", { folder }), (change) => change.kind === "model");
  return (
    <Loaded of={serving} rows={4}>
      {(model) => (
        <div class="stack">
          <Answers model={model} />
          <div class="columns">
            <ForUser folder={folder} />
            {model.folds_in && <ForNewcomer folder={folder} />}
            <Predict folder={folder} />
          </div>
        </div>
      )}
    </Loaded>
  );
}

/** Which model answers. Where another one should, why it does not. */
function Answers({ model }: { model: Serving }) {
  return (
    <div>
      <p class="muted">
        <span class="num">{versionName(model.version)}</span> answers, since <Time at={model.since} />: it knows {whole(model.users)} users and {whole(model.items)} items.
      </p>
      {model.trouble && (
        <p class="note" role="status">
          The version that should answer does not: {model.trouble.message}
          {model.trouble.hint && <span class="hint"> {model.trouble.hint}</span>}
        </p>
      )}
    </div>
  );
}

/** What was asked last: nothing, an answer on its way, an answer, a refusal. */
type Asked<T> = { state: "idle" } | { state: "asking" } | { state: "answered"; answer: T } | { state: "refused"; problem: Problem };

function useAsk<T>(): [Asked<T>, (question: Promise<T>) => void] {
  const [asked, setAsked] = useState<Asked<T>>({ state: "idle" });
  const ask = (question: Promise<T>) => {
    setAsked({ state: "asking" });
    question.then(
      (answer) => setAsked({ state: "answered", answer }),
      (error: unknown) => setAsked({ state: "refused", problem: error instanceof Problem ? error : new Problem(0, String(error), null, null, null, []) }),
    );
  };
  return [asked, ask];
}

function ForUser({ folder }: { folder: string }) {
  const [user, setUser] = useState("");
  const [k, setK] = useState(K);
  const [isFresh, setFresh] = useState(false);
  const [asked, ask] = useAsk<Recommendations>();
  const submit = (event: Event) => {
    event.preventDefault();
    ask(get(query(`/models/current/recommendations/${encodeURIComponent(user.trim())}`, { k, exclude_seen: isFresh || null, folder })));
  };
  return (
    <section class="card" aria-labelledby="try-user">
      <header>
        <h2 id="try-user">For a user</h2>
      </header>
      <form class="body ask" onSubmit={submit}>
        <label class="entry">
          <span>User</span>
          <input required autocomplete="off" value={user} onInput={(event) => setUser(event.currentTarget.value)} placeholder="1488844" />
        </label>
        <label class="entry entry-short">
          <span>How many</span>
          <input type="number" min={1} max={K_MAX} required value={k} onInput={(event) => setK(event.currentTarget.valueAsNumber)} />
        </label>
        <label class="tick">
          <input type="checkbox" checked={isFresh} onChange={(event) => setFresh(event.currentTarget.checked)} />
          without what they rated
        </label>
        <button type="submit" class="primary" disabled={asked.state === "asking"}>
          Recommend
        </button>
      </form>
      <Outcome asked={asked}>{(answer) => <Answer answer={answer} of={`user ${answer.user ?? user}`} />}</Outcome>
    </section>
  );
}

function ForNewcomer({ folder }: { folder: string }) {
  const [typed, setTyped] = useState("");
  const [k, setK] = useState(K);
  const [asked, ask] = useAsk<Recommendations>();
  const { ratings, wrong } = parseRatings(typed);
  const submit = (event: Event) => {
    event.preventDefault();
    if (wrong.length > 0 || ratings.length === 0) return;
    const body = { ratings: ratings.map(({ item, rating }) => ({ item: id(item), rating })), k };
    ask(post(query("/models/current/fold-in", { folder }), body));
  };
  return (
    <section class="card" aria-labelledby="try-new">
      <header>
        <h2 id="try-new">For somebody new</h2>
      </header>
      <form class="body ask" onSubmit={submit}>
        <label class="entry entry-wide">
          <span>
            Their ratings <span class="muted">– item=stars</span>
          </span>
          <textarea
            rows={2}
            required
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
            placeholder="30=5, 191=2, 483=4.5"
            aria-invalid={wrong.length > 0}
            aria-describedby="try-new-wrong"
          />
        </label>
        <p id="try-new-wrong" class="entry-wide entry-error" role="status">
          {wrong.length > 0 && `not a rating: ${wrong.join(", ")}`}
        </p>
        <label class="entry entry-short">
          <span>How many</span>
          <input type="number" min={1} max={K_MAX} required value={k} onInput={(event) => setK(event.currentTarget.valueAsNumber)} />
        </label>
        <button type="submit" class="primary" disabled={asked.state === "asking" || wrong.length > 0}>
          Recommend
        </button>
      </form>
      <Outcome asked={asked}>{(answer) => <Answer answer={answer} of="the new user" />}</Outcome>
    </section>
  );
}

function Predict({ folder }: { folder: string }) {
  const [typed, setTyped] = useState("");
  const [asked, ask] = useAsk<Predictions>();
  const { pairs, wrong } = parsePairs(typed);
  const submit = (event: Event) => {
    event.preventDefault();
    if (wrong.length > 0 || pairs.length === 0) return;
    ask(post(query("/models/current/predict", { folder }), { pairs: pairs.map(({ user, item }) => ({ user: id(user), item: id(item) })) }));
  };
  return (
    <section class="card" aria-labelledby="try-predict">
      <header>
        <h2 id="try-predict">One rating</h2>
      </header>
      <form class="body ask" onSubmit={submit}>
        <label class="entry entry-wide">
          <span>
            Pairs <span class="muted">– user item</span>
          </span>
          <textarea
            rows={2}
            required
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
            placeholder="1488844 30"
            aria-invalid={wrong.length > 0}
            aria-describedby="try-predict-wrong"
          />
        </label>
        <p id="try-predict-wrong" class="entry-wide entry-error" role="status">
          {wrong.length > 0 && `not a pair: ${wrong.join(", ")}`}
        </p>
        <button type="submit" class="primary" disabled={asked.state === "asking" || wrong.length > 0}>
          Predict
        </button>
      </form>
      <Outcome asked={asked}>
        {({ version, predictions }) => (
          <>
            <p class="muted">By {versionName(version)}</p>
            <Table
              caption="Predicted ratings"
              rows={predictions}
              rowKey={(one) => `${one.user}/${one.item}`}
              columns={[
                { name: "User", cell: (one) => one.user },
                { name: "Item", cell: (one) => one.item },
                { name: "Rating", numeric: true, by: (one) => one.rating, cell: (one) => fixed(one.rating, 3) },
                { name: "Note", cell: (one) => <Note of={one} /> },
              ]}
            />
          </>
        )}
      </Outcome>
    </section>
  );
}

/** What the model does not know of a pair, and what its rating then is. */
function Note({ of }: { of: Prediction }) {
  const unknown = [of.knows_user ? null : "user", of.knows_item ? null : "item"].filter(Boolean).join(" and ");
  if (unknown === "") return null;
  return (
    <span class="status tone-warn">
      unknown {unknown}
      {of.fallback && `: ${of.fallback}`}
    </span>
  );
}

function Outcome<T>({ asked, children }: { asked: Asked<T>; children: (answer: T) => preact.ComponentChildren }) {
  if (asked.state === "idle") return null;
  return (
    <div class="outcome" role="region" aria-live="polite" aria-label="Answer">
      {asked.state === "asking" && <p class="muted">asking …</p>}
      {asked.state === "refused" && <ProblemBox problem={asked.problem} />}
      {asked.state === "answered" && children(asked.answer)}
    </div>
  );
}
