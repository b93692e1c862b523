"""Quality of explicit models.

Claim: over three seeds, the RMSE on MovieLens 100K's split u1 is at most 1 % above that of Spark's ALS with the same rank, λ and number
of sweeps, and as many pairs are scored (19,968 of 20,000). Against: Spark's means over three seeds, measured once with Spark 4.3;
one setting is trained again in the Spark at hand, which must confirm its figure to 0.5 %. The ranking at 10 over all items lies near
Spark's (to 0.01). Also: the loss that `train_als` reports is the objective of its factors in NumPy, to 1e-6 of it.
"""

from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import pytest
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import SparkSession

from support import als
from support.figures import Figures
from support.recflow import Recflow


@dataclass(frozen=True)
class Setting:
    """What is trained, and Spark's mean RMSE with it."""

    rank: int
    reg: float
    max_iter: int
    spark: float


SETTINGS = [Setting(64, 0.1, 15, 0.9273), Setting(10, 0.1, 10, 0.9378), Setting(20, 0.05, 20, 0.9892)]
SEEDS = (1, 2, 3)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: f"rank {setting.rank}")
def test_the_error_is_at_most_a_hundredth_above_sparks(setting: Setting, u1: Recflow, figures: Figures) -> None:
    """Three seeds each, and the loss of each model."""
    ratings, errors = als.Ratings.read(u1.workspace / "train"), []
    inputs = {"rank": setting.rank, "reg": setting.reg, "max_iter": setting.max_iter}
    for seed in SEEDS:
        trained = u1.stage("train_als", ratings="train", models="rmse", seed=seed, **inputs)
        evaluated = u1.stage("evaluate", model=trained["path"], ratings="test")
        assert evaluated["scored"] == 19_968
        errors.append(evaluated["rmse"])
        model = als.Model.read(u1.workspace / trained["path"])
        assert trained["loss"] == pytest.approx(als.explicit_loss(model, ratings, setting.reg), rel=1e-6)
    found = mean(errors)
    assert found <= 1.01 * setting.spark
    what = f"RMSE on u1: rank {setting.rank}, λ {setting.reg}, {setting.max_iter} sweeps"
    figures.add(what, f"{found:.4f} ({min(errors):.4f} to {max(errors):.4f})", f"Spark: {setting.spark:.4f}")


def test_the_spark_at_hand_confirms_the_figure(u1: Recflow, spark_rank_10: Path, spark: SparkSession, figures: Figures) -> None:
    """Rank 10, one seed."""
    predicted = ALSModel.load(str(spark_rank_10)).transform(spark.read.parquet(str(u1.workspace / "test")))
    found = RegressionEvaluator(labelCol="RATING").evaluate(predicted)
    assert found == pytest.approx(SETTINGS[1].spark, rel=0.005)
    figures.add("Spark's own RMSE, rank 10, trained here", f"{found:.4f}", f"measured before: {SETTINGS[1].spark:.4f}")


def test_the_ranking_lies_near_sparks(u1: Recflow, rank_64: Path, figures: Figures) -> None:
    """Rank 64, lists of ten over all items, threshold 4."""
    evaluated = u1.stage("evaluate", model=str(rank_64), ratings="test", train="train")
    assert evaluated["ranked_users"] == 456
    for name, spark in [("precision_at_k", 0.085), ("recall_at_k", 0.037), ("ndcg_at_k", 0.085)]:
        assert evaluated[name] == pytest.approx(spark, abs=0.01), name
        figures.add(f"{name.removesuffix('_at_k')} at 10, rank 64, all items", f"{evaluated[name]:.4f}", f"Spark: {spark}")
