"""The objective of a training.

Claim: recflow and Spark minimise the same function: in a model of either, each user's factors are the solution of the same normal equation
for the model's item factors, since both solve the users last. So for explicit ratings, for implicit ones, and where a user rated an item
twice (`duplicates: all`; recflow's own default, `latest`, takes the later rating alone). With `nonnegative` they are scipy's solution
(Spark's solver stops early and is not held to it). Data: training set of u1, a fifth of it rated again a day later. Against: the
equations in NumPy. Tolerance: 1e-4 of the largest factor.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession

from support import als, contract, engines
from support.figures import Figures
from support.recflow import Recflow

REG, SWEEPS, RANK = 0.1, 3, 8


@dataclass(frozen=True)
class Case:
    """A training: its inputs to recflow and to Spark, and what it minimises."""

    objective: als.Objective
    recflow: dict[str, Any] = field(default_factory=dict)
    spark: dict[str, Any] | None = field(default_factory=dict)
    """None: Spark has no such training, or does not solve it exactly."""

    @property
    def duplicates(self) -> str:
        """Which of a pair's ratings count."""
        return self.recflow.get("duplicates", "latest")


EXPLICIT, IMPLICIT = als.Objective(REG), als.Objective(REG, alpha=2.0)
ALL = {"duplicates": "all"}
CASES = {
    "explicit": Case(EXPLICIT, ALL),
    "implicit": Case(IMPLICIT, {**ALL, "implicit": True, "alpha": 2.0}, {"implicitPrefs": True, "alpha": 2.0}),
    "explicit, latest": Case(EXPLICIT, spark=None),
    "explicit, nonnegative": Case(EXPLICIT, {**ALL, "nonnegative": True}, spark=None),
    "implicit, nonnegative": Case(IMPLICIT, {**ALL, "implicit": True, "alpha": 2.0, "nonnegative": True}, spark=None),
}


@pytest.fixture(scope="module")
def twice(u1: Recflow) -> Path:
    """A dataset in which a fifth of the pairs stand twice, with two dates and other stars."""
    rows = contract.parse((u1.workspace / "data/train.txt").read_bytes()).rows
    again = [row._replace(stars=row.stars % 5 + 1, day=row.day + 1) for row in rows[::5]]
    with duckdb.connect() as duck:
        table = contract.with_months(contract.arrow(rows + again, is_float=False), duck)
        contract.write_partitioned(table.drop_columns(["year", "month"]), u1.workspace / "twice", duck)
        assert engines.with_duckdb(u1.workspace / "twice", duck).num_rows == 96_000
    return u1.workspace / "twice"


def difference(model: als.Model, ratings: als.Ratings, case: Case) -> float:
    """How far the users are from the solution, as a share of the largest factor."""
    solved = als.solve_users(ratings, model, case.objective, nonnegative=case.recflow.get("nonnegative", False))
    return float(np.abs(solved - model.user_factors).max() / np.abs(solved).max())


@pytest.mark.parametrize("name", CASES)
def test_users_solve_the_equation_for_the_items(name: str, u1: Recflow, twice: Path, figures: Figures) -> None:
    """recflow's models."""
    case = CASES[name]
    trained = u1.stage("train_als", ratings="twice", models="objective", rank=RANK, reg=REG, max_iter=SWEEPS, **case.recflow)
    model, ratings = als.Model.read(u1.workspace / trained["path"]), als.Ratings.read(twice, case.duplicates)
    assert trained["ratings"] == len(ratings.stars) == (96_000 if case.duplicates == "all" else 80_000)
    found = difference(model, ratings, case)
    assert found < 1e-4
    figures.add(f"users solved again, {name}", f"{found:.1e}", "NumPy: 1e-4")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.spark is not None])
def test_sparks_users_solve_it_too(name: str, twice: Path, spark: SparkSession, tmp_path: Path, figures: Figures) -> None:
    """Spark's models, so that the equations above are Spark's."""
    case = CASES[name]
    columns = {"userCol": "CUST_ID", "itemCol": "MOVIE_ID", "ratingCol": "RATING"}
    trained = ALS(rank=RANK, regParam=REG, maxIter=SWEEPS, seed=1, numUserBlocks=2, numItemBlocks=2, **columns, **case.spark).fit(
        spark.read.parquet(str(twice))
    )
    trained.save(str(tmp_path / "model"))
    found = difference(als.Model.read(tmp_path / "model"), als.Ratings.read(twice), case)
    assert found < 1e-4
    figures.add(f"users solved again, {name}, Spark's model", f"{found:.1e}", "NumPy: 1e-4")
