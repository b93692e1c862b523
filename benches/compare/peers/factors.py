"""A model that recflow trained, as arrays."""

from pathlib import Path

import numpy as np
import polars as pl


def side(version: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Ids and factors of `userFactors` or `itemFactors`, by id."""
    table = pl.read_parquet(Path(version) / name / "*.parquet").sort("id")
    factors = np.vstack(table["features"].to_numpy()).astype(np.float32)
    return table["id"].to_numpy(), factors
