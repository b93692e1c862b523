"""New ratings into a dataset by Polars: the months that are touched are read, united, deduplicated and written."""

from pathlib import Path

import polars as pl
from told import ARGUMENTS, tell

KEY = ["MOVIE_ID", "CUST_ID", "DATE"]
rows = 0
for file in sorted(Path(ARGUMENTS["new"]).glob("*/*")):
    month = file.relative_to(ARGUMENTS["new"])
    parts = [pl.read_parquet(Path(folder) / month / "*.parquet", hive_partitioning=False) for folder in (ARGUMENTS["base"], ARGUMENTS["new"])]
    united = pl.concat(parts).sort([*KEY, "RATING"]).unique(KEY, keep="last", maintain_order=True)
    folder = Path(ARGUMENTS["output"]) / month
    folder.mkdir(parents=True)
    united.write_parquet(folder / "part-00000.parquet", compression="snappy", statistics=True)
    rows += len(united)
tell(result=f"{rows} rows written")
