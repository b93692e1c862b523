"""Draws new ratings for a merge: one for every hundred of a dataset, in its last `months` months, a stream set of one file a month."""

from pathlib import Path

import polars as pl
from told import ARGUMENTS, tell

rows = pl.read_parquet(f"{ARGUMENTS['train']}/**/*.parquet", hive_partitioning=False)
wanted = len(rows) // 100
months = rows["DATE"].dt.truncate("1mo").unique().sort().tail(int(ARGUMENTS["months"]))
pool = rows.filter(pl.col("DATE").dt.truncate("1mo").is_in(months.implode()))
drawn = pool.sample(wanted, with_replacement=True, seed=1)
# Of other movies than those rated: nearly all of them are new.
movies = drawn["MOVIE_ID"].shuffle(seed=2)
drawn = drawn.with_columns(MOVIE_ID=movies, year=pl.col("DATE").dt.year(), month=pl.col("DATE").dt.month())
for (year, month), part in drawn.partition_by("year", "month", as_dict=True, include_key=False).items():
    folder = Path(ARGUMENTS["output"]) / f"year={year}" / f"month={month}"
    folder.mkdir(parents=True)
    part.write_parquet(folder / "part-00000.parquet", compression="snappy")
tell(result=f"{len(drawn)} rows")
