"""A Spark session as a user of one machine makes it: all cores, 6 GB, quiet."""

import os

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window

KEY = ["MOVIE_ID", "CUST_ID", "DATE"]


def session() -> SparkSession:
    """A session on all cores."""
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    made = (
        SparkSession.builder.master("local[*]")
        .config("spark.driver.memory", "6g")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "16")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    made.sparkContext.setLogLevel("ERROR")
    return made


def read_text(spark: SparkSession, path: str) -> DataFrame:
    """Netflix text as rows. The header above a row is found through the place of each line: files are cut, so first within a cut, then across."""
    lines = spark.read.text(path).select(
        F.trim("value").alias("line"), F.monotonically_increasing_id().alias("place"), F.spark_partition_id().alias("cut")
    )
    lines = lines.withColumn("header", F.when(F.col("line").endswith(":"), F.expr("int(rtrim(':', line))")))
    last = lines.where("header IS NOT NULL").groupBy("cut").agg(F.max_by("header", "place").alias("last")).collect()
    carried, by_cut = None, {}
    known = {row["cut"]: row["last"] for row in last}
    for cut in range(lines.rdd.getNumPartitions()):
        by_cut[cut] = carried
        carried = known.get(cut, carried)
    starts = spark.createDataFrame([(cut, movie) for cut, movie in by_cut.items()], "cut int, start int")
    within = F.last("header", ignorenulls=True).over(Window.partitionBy("cut").orderBy("place"))
    parts = F.split("line", ",")
    return (
        lines.withColumn("within", within)
        .join(F.broadcast(starts), "cut")
        .where("header IS NULL")
        .select(
            F.coalesce("within", "start").alias("MOVIE_ID"),
            parts[0].cast("int").alias("CUST_ID"),
            parts[1].cast("int").alias("RATING"),
            parts[2].cast("date").alias("DATE"),
        )
    )


def write_deduplicated(rows: DataFrame, path: str) -> None:
    """One row a key, the one with the highest rating; by month."""
    kept = rows.groupBy(*KEY).agg(F.max("RATING").alias("RATING"))
    by_month = kept.withColumn("year", F.year("DATE")).withColumn("month", F.month("DATE"))
    by_month.repartition("year", "month").write.mode("overwrite").partitionBy("year", "month").parquet(path)
