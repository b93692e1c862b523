"""The Parquet sets as dense triplets, for libraries that take arrays."""

from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass
class Triplets:
    """Row numbers of users and items, and the ratings."""

    user: np.ndarray
    item: np.ndarray
    rating: np.ndarray


def read(train: str, test: str | None = None) -> tuple[Triplets, Triplets | None, int, int]:
    """The training set with the latest rating of each pair, the test ratings whose user and item it knows, and how many users and items."""
    columns = ["CUST_ID", "MOVIE_ID", "RATING", "DATE"]
    rows = pl.read_parquet(f"{train}/**/*.parquet", hive_partitioning=False, columns=columns)
    rows = rows.sort("DATE").unique(["CUST_ID", "MOVIE_ID"], keep="last")
    users, items = (np.unique(rows[name].to_numpy()) for name in ("CUST_ID", "MOVIE_ID"))

    def dense(part: pl.DataFrame) -> Triplets:
        return Triplets(
            np.searchsorted(users, part["CUST_ID"].to_numpy()).astype(np.int32),
            np.searchsorted(items, part["MOVIE_ID"].to_numpy()).astype(np.int32),
            part["RATING"].to_numpy().astype(np.float32),
        )

    known = None
    if test is not None:
        part = pl.read_parquet(f"{test}/**/*.parquet", hive_partitioning=False, columns=columns)
        known = dense(part.filter(pl.col("CUST_ID").is_in(users) & pl.col("MOVIE_ID").is_in(items)))
    return dense(rows), known, len(users), len(items)


def rmse(users: np.ndarray, items: np.ndarray, test: Triplets) -> float:
    """Of dot products."""
    total = 0.0
    for at in range(0, len(test.user), 1 << 18):
        part = slice(at, at + (1 << 18))
        predicted = np.einsum("nk,nk->n", users[test.user[part]], items[test.item[part]])
        total += float(((test.rating[part] - predicted) ** 2).sum())
    return (total / len(test.user)) ** 0.5
