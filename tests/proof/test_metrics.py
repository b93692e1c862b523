"""Ranking metrics.

Claim: precision, recall, NDCG, MAP, MRR and hit rate at 1, 5, 10 and 20 under each protocol are those that ranx computes from the same
lists, and, where Spark's `RankingMetrics` knows them, those of Spark; coverage and novelty are those of NumPy. Lists are those of stage
`recommend`, relevance is read from the dataset: nothing of `evaluate` is used but its figures. Data: split u1 of MovieLens 100K, rank 64,
threshold 4. Tolerance: 1e-9.

Two definitions differ from ranx's. A list shorter than K is not excused (precision divides by K): here it is filled up with items that
nobody rated. MAP at K divides by min(K, relevant items) as Spark does, ranx by the number of relevant items: its value for each user
is scaled.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest
import ranx
from pyspark.mllib.evaluation import RankingMetrics
from pyspark.sql import SparkSession

from support.figures import Figures
from support.recflow import Json, Recflow

KS = (10, 1, 5, 20)
PROTOCOLS = ("all_items", "unseen_items", "test_items")
Lists = dict[int, list[int]]
"""Of each user, items; best first."""


@dataclass(frozen=True)
class Ranked:
    """Everything that the figures are computed from."""

    evaluated: Json
    lists: dict[str, Lists]
    relevant: Lists
    catalogue: int
    raters: dict[int, int]
    """Of each item in training."""
    users: int
    """In training."""

    def figures_of(self, protocol: str, k: int) -> Json:
        """What `evaluate` said."""
        at_k = self.evaluated["at_k"][str(k)]
        return at_k if protocol == "all_items" else at_k[protocol]


def grouped(rows: Iterable[tuple[int, int]]) -> Lists:
    """Items of each user, in the order in which they come."""
    lists: Lists = {}
    for user, item in rows:
        lists.setdefault(user, []).append(item)
    return lists


@pytest.fixture(scope="module")
def ranked(u1: Recflow, rank_64: Path) -> Ranked:
    """The model's lists under each protocol, and its evaluation."""
    model, workspace = str(rank_64), u1.workspace
    u1.stage("recommend", model=model, output="all.parquet", k=max(KS))
    u1.stage("recommend", model=model, output="unseen.parquet", k=max(KS), exclude_seen="train")
    u1.stage("recommend", model=model, output="every.parquet", k=10_000)
    evaluated = u1.stage("evaluate", model=model, ratings="test", train="train", k=list(KS), protocols=list(PROTOCOLS))
    with duckdb.connect() as duck:
        for name in ("train", "test"):
            duck.execute(f"CREATE VIEW {name} AS SELECT CUST_ID AS user, MOVIE_ID AS item, RATING FROM '{workspace / name}/*/*/*.parquet'")
        ask = lambda query: duck.sql(query).fetchall()  # noqa: E731
        relevant = grouped(ask("SELECT user, item FROM test WHERE RATING >= 4 ORDER BY user, item"))
        known = "user IN (SELECT user FROM test WHERE RATING >= 4)"
        lists = {
            "all_items": f"FROM '{workspace}/all.parquet' WHERE {known} ORDER BY user, rank",
            "unseen_items": f"FROM '{workspace}/unseen.parquet' WHERE {known} ORDER BY user, rank",
            "test_items": f"FROM '{workspace}/every.parquet' SEMI JOIN test USING (user, item) WHERE {known} ORDER BY user, rank",
        }
        return Ranked(
            evaluated,
            {protocol: grouped(ask(f"SELECT user, item {query}")) for protocol, query in lists.items()},
            relevant,
            ask(f"SELECT count(DISTINCT item) FROM '{workspace}/every.parquet'")[0][0],
            dict(ask("SELECT item, count(DISTINCT user) FROM train GROUP BY item")),
            ask("SELECT count(DISTINCT user) FROM train")[0][0],
        )


def with_ranx(lists: Lists, relevant: Lists, k: int) -> dict[str, float]:
    """The figures by ranx."""
    qrels = ranx.Qrels({str(user): {str(item): 1 for item in items} for user, items in relevant.items()})
    filled = {user: [*map(str, items[:k]), *(f"nothing-{place}" for place in range(k - len(items[:k])))] for user, items in lists.items()}
    run = ranx.Run({str(user): {item: float(k - place) for place, item in enumerate(items)} for user, items in filled.items()})
    names = ["precision", "recall", "ndcg", "map", "mrr", "hit_rate"]
    found = ranx.evaluate(qrels, run, [f"{name}@{k}" for name in names], make_comparable=False)
    figures = {f"{name}_at_k": float(found[f"{name}@{k}"]) for name in names}
    each = run.scores[f"map@{k}"]
    figures["map_at_k"] = float(np.mean([each[str(user)] * len(items) / min(k, len(items)) for user, items in relevant.items()]))
    return figures


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_figures_are_those_of_ranx(protocol: str, ranked: Ranked, figures: Figures) -> None:
    """Six metrics at four lengths."""
    lists = ranked.lists[protocol]
    assert lists.keys() == ranked.relevant.keys() and len(lists) == 456
    largest = 0.0
    for k in KS:
        found = ranked.figures_of(protocol, k)
        for name, expected in with_ranx(lists, ranked.relevant, k).items():
            assert found[name] == pytest.approx(expected, abs=1e-9), f"{name} at {k}"
            largest = max(largest, abs(found[name] - expected))
    figures.add(f"six metrics at four lengths, {protocol}, largest difference", f"{largest:.0e}", "ranx: 1e-9")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_figures_are_those_of_spark(protocol: str, ranked: Ranked, spark: SparkSession, figures: Figures) -> None:
    """The four that Spark knows."""
    pairs = [
        ([float(item) for item in items], [float(item) for item in ranked.relevant[user]]) for user, items in ranked.lists[protocol].items()
    ]
    judge = RankingMetrics(spark.sparkContext.parallelize(pairs, 2))
    largest = 0.0
    for k in KS:
        found = ranked.figures_of(protocol, k)
        theirs = {
            "precision_at_k": judge.precisionAt(k),
            "recall_at_k": judge.recallAt(k),
            "ndcg_at_k": judge.ndcgAt(k),
            "map_at_k": judge.meanAveragePrecisionAt(k),
        }
        for name, expected in theirs.items():
            assert found[name] == pytest.approx(expected, abs=1e-9), f"{name} at {k}"
            largest = max(largest, abs(found[name] - expected))
    figures.add(f"four metrics at four lengths, {protocol}, largest difference", f"{largest:.0e}", "Spark: 1e-9")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_coverage_and_novelty_are_those_of_numpy(protocol: str, ranked: Ranked) -> None:
    """Coverage: items in anybody's list over the model's items. Novelty: mean of log2(users / raters), by list, then over lists."""
    for k in KS:
        found, lists = ranked.figures_of(protocol, k), [items[:k] for items in ranked.lists[protocol].values()]
        covered = len({item for items in lists for item in items}) / ranked.catalogue
        novelty = np.mean([np.mean(np.log2([ranked.users / ranked.raters[item] for item in items])) for items in lists])
        assert found["coverage_at_k"] == pytest.approx(covered, abs=1e-9)
        assert found["novelty_at_k"] == pytest.approx(novelty, abs=1e-9)


def test_most_popular_is_judged_alike(ranked: Ranked, u1: Recflow) -> None:
    """The baseline: items by number of raters, ties by id."""
    popular = sorted(ranked.raters, key=lambda item: (-ranked.raters[item], item))
    rows = duckdb.sql(f"SELECT CUST_ID, MOVIE_ID FROM '{u1.workspace}/train/*/*/*.parquet'").fetchall()
    seen = {user: set(items) for user, items in grouped(rows).items()}
    lists = {
        "all_items": dict.fromkeys(ranked.relevant, popular),
        "unseen_items": {user: [item for item in popular if item not in seen[user]] for user in ranked.relevant},
    }
    k = KS[0]
    for protocol, of_users in lists.items():
        found = ranked.evaluated["baselines"]["most_popular"][protocol]
        for name, expected in with_ranx(of_users, ranked.relevant, k).items():
            assert found[name] == pytest.approx(expected, abs=1e-9), f"{protocol}, {name}"
