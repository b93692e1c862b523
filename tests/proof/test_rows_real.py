"""Rows of real ratings.

Claim: the dataset that `etl` writes holds exactly the rows, column types and partition folders that PySpark and DuckDB write from the
same text by the contract (`support/contract.py`; Spark's own version is in `support/engines.py`), and DuckDB, Polars and Spark
read it with the same rows. Tolerance: none.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from conftest import convert
from support import contract, engines
from support.figures import Figures
from support.recflow import Recflow

NETFLIX = {"netflix/mv_0000008.txt.gz": 14_910, "netflix/mv_0002043.txt.gz": 7_871}


@dataclass(frozen=True)
class Source:
    """Shared files, and what is in them."""

    files: tuple[str, ...]
    rows: int
    stars: str = "int"


SOURCES = {
    "MovieLens 100K": Source(("ml-100k/u.data.gz",), 100_000),
    "MovieLens 1M": Source(("ml-1m/ratings.csv.gz",), 1_000_209),
    "MovieLens latest-small": Source(("ml-latest-small/ratings.csv.gz",), 100_836, "float"),
    "Netflix originals": Source(tuple(NETFLIX), sum(NETFLIX.values())),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_dataset_is_the_one_that_spark_and_duckdb_write(
    name: str, shared: Path, recflow: Recflow, spark: SparkSession, duck: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    """Rows, types and folders are equal, whoever wrote and whoever reads."""
    source, workspace = SOURCES[name], recflow.workspace
    convert(shared, workspace / "data", *source.files, "--fraction", "0", "--future", "0")
    text = workspace / "data/train.txt"
    output = recflow.stage("etl", train_file="data/train.txt", train_output="ours")["train"]
    assert (output["rows"], output["read"], output["rejected"]) == (source.rows, source.rows, 0)

    ours, sparks, ducks = workspace / "ours", workspace / "spark", workspace / "duckdb"
    engines.spark_write(engines.spark_upsert(None, engines.spark_rows(text, source.stars, spark)), sparks)
    parsed = contract.parse(text.read_bytes())
    nothing = contract.arrow([], source.stars == "float")
    contract.write_partitioned(contract.upsert(nothing, contract.arrow(parsed.rows, source.stars == "float"), duck), ducks, duck)

    found = engines.with_duckdb(ours, duck)
    assert found.num_rows == source.rows
    assert engines.differing(found, engines.with_duckdb(sparks, duck), duck) == 0, "not the rows that Spark writes"
    assert engines.differing(found, engines.with_duckdb(ducks, duck), duck) == 0, "not the rows that DuckDB writes"
    assert engines.differing(found, engines.with_polars(ours), duck) == 0, "Polars reads something else"
    assert engines.differing(found, engines.with_spark(ours, spark), duck) == 0, "Spark reads something else"
    assert engines.file_schema(ours) == engines.file_schema(sparks)
    assert spark.read.parquet(str(ours)).schema == spark.read.parquet(str(sparks)).schema
    assert engines.months(ours) == engines.months(sparks) == engines.months(ducks)
    figures.add(f"rows of {name} ({source.stars})", f"{found.num_rows:,}", "Spark, DuckDB: 0 differ; Polars reads the same")


def test_the_prizes_own_files_are_read_as_they_were_published(
    shared: Path, recflow: Recflow, duck: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    """Both files at once, still compressed, neither with a final newline."""
    files = [shared / name for name in NETFLIX]
    output = recflow.stage("etl", train_file=[str(file) for file in files], train_output="ours")["train"]
    assert (output["read"], output["rows"], output["rejected"]) == (22_781, 22_781, 0)
    texts = [contract.parse(gzip.decompress(file.read_bytes())).rows for file in files]
    assert [len(rows) for rows in texts] == list(NETFLIX.values())
    expected = contract.with_months(contract.arrow(texts[0] + texts[1], is_float=False), duck)
    assert engines.differing(engines.with_duckdb(recflow.workspace / "ours", duck), expected, duck) == 0
    figures.add("rows of the Netflix originals, as published", "14,910 + 7,871", "the contract: 0 differ")
