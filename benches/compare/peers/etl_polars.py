"""Netflix text to deduplicated Parquet by month, with Polars."""

from pathlib import Path

import polars as pl
from told import ARGUMENTS, tell

KEY = ["MOVIE_ID", "CUST_ID", "DATE"]

# The cheapest exact way of several that we tried: a header is a row of one field, and the engine streams, unsorted.
schema = {"first": pl.String, "RATING": pl.Int32, "DATE": pl.Date}
lines = pl.scan_csv(ARGUMENTS["text"], has_header=False, schema=schema, missing_columns="insert", truncate_ragged_lines=True, try_parse_dates=True)
header = pl.when(pl.col("RATING").is_null()).then(pl.col("first").str.strip_suffix(":"))
rows = (
    lines.with_columns(MOVIE_ID=header.cast(pl.Int32).forward_fill())
    .filter(pl.col("RATING").is_not_null())
    .select("MOVIE_ID", "RATING", "DATE", CUST_ID=pl.col("first").cast(pl.Int32))
)
rows = rows.group_by(KEY).agg(pl.col("RATING").max()).collect(engine="streaming")
rows = rows.with_columns(year=pl.col("DATE").dt.year(), month=pl.col("DATE").dt.month())
output = Path(ARGUMENTS["output"])
for (year, month), part in rows.partition_by("year", "month", as_dict=True, include_key=False).items():
    folder = output / f"year={year}" / f"month={month}"
    folder.mkdir(parents=True)
    part.write_parquet(folder / "part-00000.parquet", compression="snappy", statistics=True)
tell(result=f"{len(rows)} rows")
