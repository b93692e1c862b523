"""Netflix text to deduplicated Parquet by year and month: of rows with the same movie, user and date the highest rating stays."""

from bench.contest import Contender, Told
from bench.measure import peer
from bench.world import World, output

TITLE = "ETL"


def contenders(world: World) -> list[Contender]:
    """The training ratings, whole process."""
    world.ensure_text()
    text, out = world.path("data/combined/train.txt"), world.path("compared")
    own = world.stage("etl", train_file=str(text), train_output="compared/recflow", mode="overwrite")
    return [
        Contender("recflow", own, result=rows, fresh=[out / "recflow", out / ".recflow.snapshots"]),
        Contender("Polars", peer("etl_polars.py", text=text, output=out / "polars"), fresh=[out / "polars"]),
        Contender("DuckDB", peer("etl_duckdb.py", text=text, output=out / "duckdb"), fresh=[out / "duckdb"], once=world.size == "100m"),
        Contender("Spark", peer("etl_spark.py", text=text, output=out / "spark"), fresh=[out / "spark"], once=True),
    ]


def rows(told: Told) -> str:
    """What recflow wrote."""
    return f"{output(told)['train']['rows']} rows"
