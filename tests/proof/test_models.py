"""Models that cross between recflow and Spark.

Claim: `ALSModel.load` opens what `train_als` published and predicts the same; `evaluate`, `recommend` and `predict` say of a model that
Spark saved what Spark says of it. Data: split u1 of MovieLens 100K. Predictions of recflow are those of stage `recommend` with lists
as long as the catalogue, so one for every user and item, checked against `recflow predict`. Tolerance: 1e-4 stars for a prediction,
1e-6 for RMSE and MAE.
"""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from support.figures import Figures
from support.recflow import Recflow

SCORED = 19_968
"""Pairs of u1's test set whose user and item stand in its training set."""


def predictions(recflow: Recflow, model: Path, name: str) -> Path:
    """recflow's prediction for every pair that the model knows: a Parquet table."""
    output = recflow.stage("recommend", model=str(model), output=f"{name}.parquet", k=10_000)
    return recflow.workspace / output["path"]


def largest_difference(sparks: pa.Table, ours: Path, duck: duckdb.DuckDBPyConnection) -> tuple[int, float]:
    """How many of Spark's predictions recflow makes too, and the largest difference."""
    duck.register("sparks", sparks)
    query = f"""
        SELECT count(*), max(abs(prediction - score))
        FROM sparks JOIN read_parquet('{ours}') ON CUST_ID = user AND MOVIE_ID = item
    """
    return duck.sql(query).fetchall()[0]


def sparks_errors(predicted: DataFrame) -> dict[str, float]:
    """RMSE and MAE as Spark computes them."""
    evaluator = RegressionEvaluator(labelCol="RATING")
    return {name: evaluator.setMetricName(name).evaluate(predicted) for name in ("rmse", "mae")}


@pytest.mark.parametrize("whose", ["recflow's", "Spark's"])
def test_both_predict_the_same_with_the_same_model(
    whose: str,
    u1: Recflow,
    rank_64: Path,
    spark_rank_10: Path,
    spark: SparkSession,
    duck: duckdb.DuckDBPyConnection,
    figures: Figures,
) -> None:
    """Every test pair, and the errors over them."""
    path = rank_64 if whose == "recflow's" else spark_rank_10
    test = spark.read.parquet(str(u1.workspace / "test"))
    predicted = ALSModel.load(str(path)).transform(test).cache()
    table = predictions(u1, path, path.name)
    pairs, difference = largest_difference(predicted.toArrow(), table, duck)
    assert (pairs, predicted.count()) == (SCORED, SCORED)
    assert difference < 1e-4

    evaluated = u1.stage("evaluate", model=str(path), ratings="test")
    assert (evaluated["scored"], evaluated["cold"]) == (SCORED, 20_000 - SCORED)
    for name, expected in sparks_errors(predicted).items():
        assert evaluated[name] == pytest.approx(expected, abs=1e-6), name
    figures.add(f"predictions of {whose} model, largest difference", f"{difference:.1e}", "Spark: 1e-4")


@pytest.mark.parametrize("whose", ["recflow's", "Spark's"])
def test_predict_says_what_the_table_says(
    whose: str, u1: Recflow, rank_64: Path, spark_rank_10: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    """So the table may stand for recflow's predictions."""
    path = rank_64 if whose == "recflow's" else spark_rank_10
    table = predictions(u1, path, f"{path.name}-again")
    for user, item, score in duck.sql(f"FROM read_parquet('{table}') USING SAMPLE 5 ROWS").project("user, item, score").fetchall():
        assert u1.predict(str(path), user, item) == pytest.approx(score, abs=1e-6), (user, item)


def test_both_recommend_the_same(
    u1: Recflow, rank_64: Path, spark: SparkSession, duck: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    """Spark's `recommendForAllUsers`: the same ten items a user in the same order, where scores are not nearly equal."""
    lists = ALSModel.load(str(rank_64)).recommendForAllUsers(10)
    each = lists.select("CUST_ID", F.posexplode("recommendations").alias("place", "one"))
    duck.register("sparks", each.select("CUST_ID", "place", "one.MOVIE_ID", "one.rating").toArrow())
    output = u1.stage("recommend", model=str(rank_64), output="ten.parquet", k=10)
    query = f"""
        SELECT count(*), count(*) FILTER (item != MOVIE_ID), max(abs(score - rating))
        FROM sparks JOIN read_parquet('{u1.workspace / output["path"]}') ON CUST_ID = user AND place + 1 = rank
    """
    rows, other_items, difference = duck.sql(query).fetchall()[0]
    assert rows == output["rows"] == 943 * 10
    assert difference < 1e-4
    # Two items whose scores differ in the last bit may change places.
    assert other_items <= 10
    figures.add("top ten of 943 users", f"{rows - other_items:,} of {rows:,} places", "Spark: the same item")
