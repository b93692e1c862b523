"""Factor models on disk and their objective, in NumPy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Ratings:
    """Ratings with dense rows: `users[user[n]]` gave `items[item[n]]` `stars[n]`."""

    users: Ints
    items: Ints
    user: Ints
    item: Ints
    stars: Floats

    @staticmethod
    def read(dataset: Path) -> "Ratings":
        """Those of a dataset in which each pair stands once."""
        table = pq.read_table(dataset, columns=["CUST_ID", "MOVIE_ID", "RATING"])
        users, user = np.unique(table["CUST_ID"].to_numpy(), return_inverse=True)
        items, item = np.unique(table["MOVIE_ID"].to_numpy(), return_inverse=True)
        assert len(np.unique(user * len(items) + item)) == len(user), f"{dataset}: a pair is rated twice"
        return Ratings(users, items, user, item, table["RATING"].to_numpy().astype(np.float64))


@dataclass(frozen=True)
class Model:
    """Factors in ascending order of ids, as they lie in Spark's layout."""

    users: Ints
    items: Ints
    user_factors: Floats
    item_factors: Floats

    @staticmethod
    def read(version: Path) -> "Model":
        """Reads a version with pyarrow."""
        users, user_factors = side(version / "userFactors")
        items, item_factors = side(version / "itemFactors")
        return Model(users, items, user_factors, item_factors)


def side(folder: Path) -> tuple[Ints, Floats]:
    """Ids and factors of one side."""
    table = pq.read_table(folder).sort_by("id")
    factors = pa.concat_arrays(table["features"].chunks)
    return table["id"].to_numpy(), factors.flatten().to_numpy().reshape(len(table), -1).astype(np.float64)


def implicit_loss(model: Model, ratings: Ratings, reg: float, alpha: float) -> float:
    """The objective of Hu, Koren, Volinsky 2008 (equation 3) over every cell: confidence `1 + alpha * stars`, preference 1 where
    there is a rating, confidence 1 and preference 0 elsewhere; `reg` times the squared lengths of all factors.

    The cells without a rating are not visited: all `(x·y)²` together are the trace of `XᵀX YᵀY`.
    """
    x, y = model.user_factors, model.item_factors
    predicted = np.einsum("nk,nk->n", x[ratings.user], y[ratings.item])
    rated = (1 + alpha * ratings.stars) * (1 - predicted) ** 2 - predicted**2
    everywhere = np.trace((x.T @ x) @ (y.T @ y))
    return float(rated.sum() + everywhere + reg * ((x**2).sum() + (y**2).sum()))


def explicit_loss(model: Model, ratings: Ratings, reg: float) -> float:
    """The objective of ALS-WR (Zhou et al. 2008) as Spark takes it: `reg` times the squared length of a factor for each rating."""
    x, y = model.user_factors, model.item_factors
    residual = ratings.stars - np.einsum("nk,nk->n", x[ratings.user], y[ratings.item])
    lengths = (x**2).sum(axis=1)[ratings.user] + (y**2).sum(axis=1)[ratings.item]
    return float((residual**2).sum() + reg * lengths.sum())
