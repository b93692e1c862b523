"""Factor models on disk and their objective, in NumPy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.optimize
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
    def read(dataset: Path, duplicates: str = "all") -> "Ratings":
        """Those of a dataset; of several ratings of a pair all, or the `latest`."""
        table = pq.read_table(dataset, columns=["CUST_ID", "MOVIE_ID", "RATING", "DATE"])
        if duplicates == "latest":
            newest = table.group_by(["CUST_ID", "MOVIE_ID"]).aggregate([("DATE", "max")]).rename_columns(["CUST_ID", "MOVIE_ID", "DATE"])
            table = table.join(newest, ["CUST_ID", "MOVIE_ID", "DATE"], join_type="inner")
        users, user = np.unique(table["CUST_ID"].to_numpy(), return_inverse=True)
        items, item = np.unique(table["MOVIE_ID"].to_numpy(), return_inverse=True)
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


@dataclass(frozen=True)
class Objective:
    """What a training minimises: that of Spark's ALS, explicit, or implicit with this `alpha`."""

    reg: float
    alpha: float | None = None

    def equation(self, factors: Floats, stars: Floats, gram: Floats) -> tuple[Floats, Floats]:
        """Matrix and right-hand side of one row's normal equation; `factors` are those of the rated other side, `gram` that of all
        of it. The regularisation is taken as often as there are (implicit: positive) ratings."""
        if self.alpha is None:
            matrix, right, count = factors.T @ factors, stars @ factors, len(stars)
        else:
            weighted = factors * (self.alpha * np.abs(stars))[:, np.newaxis]
            matrix, right, count = gram + weighted.T @ factors, (1 + self.alpha * stars) @ factors, int((stars > 0).sum())
        return matrix + self.reg * count * np.eye(factors.shape[1]), right


def solve_users(ratings: Ratings, model: Model, objective: Objective, nonnegative: bool = False) -> Floats:
    """The users' factors that minimise the objective with the model's items as they are: what a last half-step must give."""
    assert np.array_equal(model.users, ratings.users) and np.array_equal(model.items, ratings.items)
    order = np.argsort(ratings.user, kind="stable")
    ends = np.cumsum(np.bincount(ratings.user))[:-1]
    gram, solved = model.item_factors.T @ model.item_factors, []
    for rows in np.split(order, ends):
        matrix, right = objective.equation(model.item_factors[ratings.item[rows]], ratings.stars[rows], gram)
        if nonnegative:
            # min xᵀAx/2 - bᵀx over x >= 0, as the least squares that scipy solves: with A = LLᵀ, |Lᵀx - L⁻¹b|.
            lower = np.linalg.cholesky(matrix)
            solved.append(scipy.optimize.nnls(lower.T, np.linalg.solve(lower, right))[0])
        else:
            solved.append(np.linalg.solve(matrix, right))
    return np.array(solved)
