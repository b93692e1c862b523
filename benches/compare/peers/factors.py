"""A model that recflow trained, as arrays."""

from pathlib import Path

import numpy as np
import polars as pl


def side(version: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Ids and factors of `userFactors` or `itemFactors`, by id."""
    table = pl.read_parquet(Path(version) / name / "*.parquet").sort("id")
    factors = table["features"].explode().to_numpy().reshape(len(table), -1).astype(np.float32)
    return table["id"].to_numpy(), factors
