"""Proofs: what recflow computes, held against Spark, DuckDB, Polars, implicit, ranx, croniter, cronsim and NumPy.

`make proof` builds recflow, makes the environment (`setup`) and runs all of it; `docs/proof.md` says what is proven. One module a
claim, whose docstring says what is claimed, against what, and how near. To add one:

1. Write `test_CLAIM.py` with such a docstring. A dependency goes into `requirements.txt`, pinned.
2. Ask for what you need by name: the fixtures below. Real ratings come from `shared`, never from the repository.
3. Compare with something that shares no code with recflow, and say the figure with `figures.add(…)`.
4. Break recflow, or the claim, once, and see the proof fail. Then add the line to `docs/proof.md`.

Without the shared data, tests that need them are skipped, and say so; RECFLOW_REQUIRE_SHARED=1 makes that a failure.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession

from support.figures import Figures
from support.recflow import Recflow

ROOT = Path(__file__).resolve().parents[2]
FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    """One table for all modules, and what must be said before modules are imported."""
    config.stash[FIGURES] = Figures()
    # ranx compiles its loops for a minute; over a few hundred lists they take a second as plain Python.
    os.environ.setdefault("NUMBA_DISABLE_JIT", "1")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the figures above the closing line."""
    if config.stash[FIGURES].lines:
        terminalreporter.section("figures")
        for line in config.stash[FIGURES].table():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """Takes what was measured; printed at the end."""
    return pytestconfig.stash[FIGURES]


@pytest.fixture(scope="session")
def binary() -> Path:
    """The recflow under test: RECFLOW_BIN, or what `cargo build` left."""
    built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "recflow"
    path = Path(os.environ.get("RECFLOW_BIN", built)).absolute()
    assert path.is_file(), f"`{path}` is not there: run `make proof`, or `cargo build` first"
    return path


@pytest.fixture
def recflow(binary: Path, tmp_path: Path) -> Recflow:
    """recflow in an empty workspace of the test's own, `recflow.workspace`."""
    return Recflow(binary, tmp_path)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real ratings beside the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        message = f"the shared data are not at `{folder}`"
        assert "RECFLOW_REQUIRE_SHARED" not in os.environ, message
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One small Spark for all proofs: starting it takes longer than most of them."""
    session = (
        SparkSession.builder.master("local[2]")
        .appName("recflow-proof")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.host", "localhost")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty DuckDB."""
    with duckdb.connect() as connection:
        yield connection


def convert(shared: Path, folder: Path, *arguments: str) -> None:
    """Writes `folder`/train.txt, test.txt and future.txt from one of the shared files; the arguments are those of `to_netflix.py`."""
    command = [sys.executable, str(shared / "to_netflix.py"), str(folder), *arguments]
    subprocess.run(command, cwd=shared, check=True, capture_output=True)


@pytest.fixture(scope="session")
def u1(binary: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Recflow:
    """A workspace with split u1 of MovieLens 100K: text in `data`, datasets in `train` (80,000 rows) and `test` (20,000). To be
    read; models that several proofs ask for lie in `models`."""
    recflow = Recflow(binary, tmp_path_factory.mktemp("u1"))
    convert(shared, recflow.workspace / "data", "ml-100k/u.data.gz", "--test", "ml-100k/u1.test.gz")
    files = {"train_file": "data/train.txt", "test_file": "data/test.txt"}
    recflow.stage("etl", **files, train_output="train", test_output="test")
    return recflow


@pytest.fixture(scope="session")
def rank_64(u1: Recflow) -> Path:
    """recflow's model of u1 with the default settings: rank 64, λ 0.1, 15 sweeps."""
    return u1.workspace / u1.stage("train_als", ratings="train", models="models")["path"]


@pytest.fixture(scope="session")
def spark_rank_10(u1: Recflow, spark: SparkSession) -> Path:
    """Spark's model of u1, saved by Spark: rank 10, λ 0.1, 10 sweeps."""
    # Spark's own ten blocks, as its figures were measured: with another number the same seed gives another model.
    als = ALS(rank=10, regParam=0.1, maxIter=10, seed=1, userCol="CUST_ID", itemCol="MOVIE_ID", ratingCol="RATING")
    als = als.setColdStartStrategy("drop")
    path = u1.workspace / "spark-models" / "rank-10"
    model = als.fit(spark.read.parquet(str(u1.workspace / "train")))
    model.write().overwrite().save(str(path))
    return path
