"""The contract of `etl`, written plainly and on its own: Netflix text in, the rows of a dataset out.

Nothing here was taken from recflow's code. Text, line by line, after a byte-order mark at its start:

- A line is trimmed; a blank one says nothing. One that ends with `:` is a header: its movie, a whole number from 0 to
  2147483647, owns the rows below it. A header that cannot be read is `bad_header`.
- A row above every header is `no_movie`; below one that could not be read, `under_bad_header`.
- A row has three fields between commas, trimmed (else `field_count`): a user, a whole number as above (`bad_id`); whole or
  half stars (`bad_rating`) within the range (`rating_out_of_range`); a day that exists, `YYYY-MM-DD` (`impossible_date`).
- A line counts once, under the first of these that is wrong with it.

A dataset keeps one row a movie, user and day, the one with the most stars (`upsert`, `overwrite`), or all (`append`).
"""

import datetime
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

WHITE = b" \t\r\n\x0c"
EPOCH = datetime.date(1970, 1, 1).toordinal()


class Row(NamedTuple):
    """One rating. The order of the fields is that of the dataset's columns."""

    movie: int
    user: int
    stars: float
    day: int
    """Days since 1970-01-01."""


@dataclass
class Parsed:
    """What a text holds."""

    rows: list[Row] = field(default_factory=list)
    rejects: list[tuple[int, str]] = field(default_factory=list)
    """Number of the line, from 1, and what is wrong with it."""

    @property
    def by_kind(self) -> Counter[str]:
        """Rejected lines, counted by kind."""
        return Counter(kind for _, kind in self.rejects)

    @property
    def has_halves(self) -> bool:
        """Whether there are half stars."""
        return any(row.stars % 1 for row in self.rows)


def parse(text: bytes, low: float = 0.5, high: float = 5.0) -> Parsed:
    """Reads a text by the rules above."""
    parsed = Parsed()
    movie: int | None = None
    orphan_kind = "no_movie"  # what a row without a movie is
    for number, raw in enumerate(text.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        line = raw.strip(WHITE).decode("latin-1")
        if not line:
            continue
        outcome: Row | str | None
        if line.endswith(":"):
            movie = whole(line[:-1].strip(" \t"))
            orphan_kind = "under_bad_header"
            outcome = "bad_header" if movie is None else None
        elif movie is None:
            outcome = orphan_kind
        else:
            outcome = read_row(movie, line, low, high)
        if isinstance(outcome, Row):
            parsed.rows.append(outcome)
        elif outcome is not None:
            parsed.rejects.append((number, outcome))
    return parsed


def read_row(movie: int, line: str, low: float, high: float) -> Row | str:
    """The rating of a line, or what is wrong with it."""
    fields = [part.strip(" \t") for part in line.split(",")]
    if len(fields) != 3:
        return "field_count"
    user = whole(fields[0])
    if user is None:
        return "bad_id"
    if not re.fullmatch(r"-?[0-9]+(\.[05]0*)?", fields[1]) or abs(float(fields[1])) >= 1e6:
        return "bad_rating"
    stars = float(fields[1])
    if not low <= stars <= high:
        return "rating_out_of_range"
    day = day_of(fields[2])
    return "impossible_date" if day is None else Row(movie, user, stars, day)


def whole(text: str) -> int | None:
    """A whole number that an int32 holds; digits only."""
    return int(text) if re.fullmatch(r"[0-9]+", text) and int(text) <= 2**31 - 1 else None


def day_of(text: str) -> int | None:
    """Days since 1970-01-01 of a day that exists."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return datetime.date.fromisoformat(text).toordinal() - EPOCH
    except ValueError:
        return None


def arrow(rows: list[Row], is_float: bool) -> pa.Table:
    """The rows as a table with the types of a dataset."""
    movies, users, stars, days = zip(*rows, strict=True) if rows else ((), (), (), ())
    stars_type = pa.float32() if is_float else pa.int32()
    return pa.table(
        {
            "MOVIE_ID": pa.array(movies, pa.int32()),
            "CUST_ID": pa.array(users, pa.int32()),
            "RATING": pa.array(stars, pa.float32()).cast(stars_type),
            "DATE": pa.array(days, pa.date32()),
        }
    )


UPSERT = """
    SELECT MOVIE_ID, CUST_ID, max(RATING) AS RATING, DATE
    FROM (SELECT * FROM base UNION ALL SELECT * FROM added)
    WHERE MOVIE_ID IS NOT NULL AND CUST_ID IS NOT NULL AND RATING IS NOT NULL AND DATE IS NOT NULL
    GROUP BY MOVIE_ID, CUST_ID, DATE
"""


def upsert(base: pa.Table, added: pa.Table, duck: duckdb.DuckDBPyConnection) -> pa.Table:
    """Union of both, without nulls, one row a movie, user and day: the one with the most stars. In SQL, by DuckDB."""
    duck.register("base", base)
    duck.register("added", added)
    return duck.sql(UPSERT).to_arrow_table()


def with_months(table: pa.Table, duck: duckdb.DuckDBPyConnection) -> pa.Table:
    """The rows with their partition columns."""
    duck.register("dated_rows", table)
    return duck.sql("SELECT *, year(DATE) AS year, month(DATE) AS month FROM dated_rows").to_arrow_table()


def write_partitioned(table: pa.Table, folder: Path, duck: duckdb.DuckDBPyConnection) -> None:
    """Writes the rows as DuckDB lays out a hive-partitioned folder by year and month."""
    duck.register("rows_to_write", with_months(table, duck))
    duck.execute(f"COPY rows_to_write TO '{folder}' (FORMAT parquet, PARTITION_BY (year, month))")
