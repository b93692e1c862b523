"""Netflix text to deduplicated Parquet by month, with Polars."""

from pathlib import Path

import polars as pl
from told import ARGUMENTS, tell

KEY = ["MOVIE_ID", "CUST_ID", "DATE"]

lines = pl.scan_csv(ARGUMENTS["text"], has_header=False, separator="\x01", new_columns=["line"], quote_char=None)
fields = pl.col("line").str.split_exact(",", 2)
rows = (
    lines.with_columns(pl.when(pl.col("line").str.ends_with(":")).then(pl.col("line").str.strip_suffix(":")).cast(pl.Int32).forward_fill().alias("MOVIE_ID"))
    .filter(~pl.col("line").str.ends_with(":"))
    .select(
        "MOVIE_ID",
        fields.struct.field("field_0").cast(pl.Int32).alias("CUST_ID"),
        fields.struct.field("field_1").cast(pl.Int32).alias("RATING"),
        fields.struct.field("field_2").str.to_date("%Y-%m-%d").alias("DATE"),
    )
    .collect()
)
# Ascending by rating within a key, so that the last of a key is the highest: the cheapest exact way that we found.
rows = rows.sort([*KEY, "RATING"]).unique(KEY, keep="last", maintain_order=True)
rows = rows.with_columns(year=pl.col("DATE").dt.year(), month=pl.col("DATE").dt.month())
output = Path(ARGUMENTS["output"])
for (year, month), part in rows.partition_by("year", "month", as_dict=True, include_key=False).items():
    folder = output / f"year={year}" / f"month={month}"
    folder.mkdir(parents=True)
    part.write_parquet(folder / "part-00000.parquet", compression="snappy", statistics=True)
tell(result=f"{len(rows)} rows")
