"""Folders that Spark wrote.

Claim: a plain partitioned folder that Spark wrote becomes a dataset where it lies, and an upsert into it leaves the rows that the same
upsert leaves in Spark: with nulls, keys that stand twice, and keys that come again with another rating. Spark then reads the
result. Tolerance: none.
"""

from pathlib import Path

import duckdb
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from support import contract, engines
from support.figures import Figures
from support.recflow import Recflow


def damaged(rows: DataFrame) -> DataFrame:
    """The rows, some of them twice with one star less, some without a rating or a user."""
    chosen = F.abs(F.hash("MOVIE_ID", "CUST_ID")) % 50
    twice = rows.where(chosen == 0).withColumn("RATING", F.greatest(F.col("RATING") - 1, F.lit(1)))
    unrated = rows.where(chosen == 1).withColumn("RATING", F.lit(None).cast("int"))
    nobodys = rows.where(chosen == 2).withColumn("CUST_ID", F.lit(None).cast("int"))
    return rows.unionByName(twice).unionByName(unrated).unionByName(nobodys)


def changes(train: Path, test: Path) -> bytes:
    """The test ratings, and each seventh training rating again with other stars."""
    known = contract.parse(train.read_bytes()).rows[::7]
    changed = [row._replace(stars=row.stars % 5 + 1) for row in known]
    dates = duckdb.sql("SELECT strftime(DATE '1970-01-01' + CAST(range AS INTEGER), '%Y-%m-%d') FROM range(40000)").fetchall()
    lines = [f"{row.movie}:\n{row.user},{row.stars:g},{dates[row.day][0]}\n" for row in changed]
    return test.read_bytes() + "".join(lines).encode()


def test_an_upsert_into_sparks_folder_leaves_what_sparks_own_upsert_leaves(
    u1: Recflow, recflow: Recflow, spark: SparkSession, duck: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    """Spark writes, recflow upserts, and both end with the same rows."""
    workspace, data = recflow.workspace, u1.workspace / "data"
    (workspace / "changes.txt").write_bytes(changes(data / "train.txt", data / "test.txt"))
    base = damaged(engines.spark_rows(data / "train.txt", "int", spark)).cache()
    engines.spark_write(base.where("DATE IS NOT NULL"), workspace / "adopted")
    added = engines.spark_rows(workspace / "changes.txt", "int", spark)
    engines.spark_write(engines.spark_upsert(base, added), workspace / "spark")

    output = recflow.stage("etl", train_file="changes.txt", train_output="adopted")["train"]
    ours, sparks = workspace / "adopted", engines.with_duckdb(workspace / "spark", duck)
    assert output["rows"] == sparks.num_rows
    assert output["rows"] + output["duplicates"] == base.na.drop().count() + added.count()
    assert engines.differing(engines.with_duckdb(ours, duck), sparks, duck) == 0
    assert engines.differing(engines.with_spark(ours, spark), sparks, duck) == 0
    assert engines.file_schema(ours) == engines.file_schema(workspace / "spark")
    figures.add("upsert into a folder that Spark wrote", f"{output['rows']:,}", "Spark's own upsert: 0 rows differ")


def test_what_is_not_changed_keeps_sparks_files(
    u1: Recflow, recflow: Recflow, spark: SparkSession, duck: duckdb.DuckDBPyConnection
) -> None:
    """Adopting rewrites no month that an upsert does not touch."""
    workspace = recflow.workspace
    rows = engines.spark_rows(u1.workspace / "data/train.txt", "int", spark)
    engines.spark_write(rows, workspace / "adopted")
    before = {file.name for file in (workspace / "adopted").glob("year=1997/month=*/*.parquet")}
    (workspace / "changes.txt").write_text("1:\n1,5,1998-01-01\n")
    recflow.stage("etl", train_file="changes.txt", train_output="adopted")
    after = {file.name for file in (workspace / "adopted").glob("year=1997/month=*/*.parquet")}
    assert before == after
    assert engines.with_duckdb(workspace / "adopted", duck).num_rows == 80_001
