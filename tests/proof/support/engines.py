"""Datasets as other engines see them: the same rows, whoever reads."""

from pathlib import Path

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window

COLUMNS = ["MOVIE_ID", "CUST_ID", "RATING", "DATE", "year", "month"]


def with_duckdb(folder: Path, duck: duckdb.DuckDBPyConnection) -> pa.Table:
    """All rows and partition columns, read by DuckDB."""
    files = f"{folder}/year=*/month=*/*.parquet"
    return duck.sql(f"SELECT {', '.join(COLUMNS)} FROM read_parquet('{files}', hive_partitioning = true)").to_arrow_table()


def with_polars(folder: Path) -> pa.Table:
    """The same, read by Polars."""
    return polars.read_parquet(folder / "**/*.parquet", hive_partitioning=True).select(COLUMNS).to_arrow()


def with_spark(folder: Path, spark: SparkSession) -> pa.Table:
    """The same, read by Spark."""
    return spark.read.parquet(str(folder)).select(COLUMNS).toArrow()


def differing(left: pa.Table, right: pa.Table, duck: duckdb.DuckDBPyConnection) -> int:
    """How many rows stand in one table only; a row that stands twice here must stand twice there."""
    duck.register("left_rows", left)
    duck.register("right_rows", right)
    query = """
        SELECT (SELECT count(*) FROM (SELECT * FROM left_rows EXCEPT ALL SELECT * FROM right_rows))
             + (SELECT count(*) FROM (SELECT * FROM right_rows EXCEPT ALL SELECT * FROM left_rows))
    """
    ((count,),) = duck.sql(query).fetchall()
    return count


def months(folder: Path) -> set[str]:
    """The partition folders, as they are written."""
    return {str(path.relative_to(folder)) for path in folder.glob("*/*") if path.is_dir()}


def file_schema(folder: Path) -> pa.Schema:
    """The columns of the files, without what each writer notes down for itself. All files agree."""
    schemas = {str(schema): schema for schema in map(read_schema, folder.glob("*/*/*.parquet"))}
    assert len(schemas) == 1, f"{folder}: the files differ in their columns: {list(schemas)}"
    return next(iter(schemas.values()))


def read_schema(file: Path) -> pa.Schema:
    """The columns of one file."""
    return pq.read_schema(file).remove_metadata()


def spark_rows(text: Path, stars: str, spark: SparkSession) -> DataFrame:
    """Netflix text as Spark reads it: each line with its place, the movie of the last header above it. `stars`: `int`, `float`."""
    lines = spark.read.text(str(text)).coalesce(1).select(F.trim("value").alias("line"), F.monotonically_increasing_id().alias("place"))
    header = F.regexp_extract("line", r"^(\d+):$", 1)
    movie = F.last(F.when(header != "", header).cast("int"), ignorenulls=True).over(Window.orderBy("place"))
    parts = F.split("line", ",")
    return (
        lines.withColumn("MOVIE_ID", movie)
        .where(F.size(parts) == 3)
        .select(
            "MOVIE_ID",
            parts[0].cast("int").alias("CUST_ID"),
            parts[1].cast(stars).alias("RATING"),
            parts[2].cast("date").alias("DATE"),
        )
    )


def spark_upsert(base: DataFrame | None, added: DataFrame) -> DataFrame:
    """The upsert of the contract, by Spark."""
    columns = COLUMNS[:4]
    union = added.select(columns) if base is None else base.select(columns).unionByName(added.select(columns))
    return union.na.drop().groupBy("MOVIE_ID", "CUST_ID", "DATE").agg(F.max("RATING").alias("RATING")).select(columns)


def spark_write(rows: DataFrame, folder: Path) -> None:
    """Writes a dataset as the PySpark application did."""
    by_month = rows.withColumn("year", F.year("DATE")).withColumn("month", F.month("DATE"))
    by_month.write.mode("overwrite").partitionBy("year", "month").parquet(str(folder))
