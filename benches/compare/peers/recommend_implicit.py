"""The ten best unseen items for all users by implicit's `recommend`, written as a table."""

import os
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as implicit asks for: it makes threads of its own

import numpy as np
import polars as pl
from factors import side
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from told import ARGUMENTS, tell

user_ids, x = side(ARGUMENTS["model"], "userFactors")
item_ids, y = side(ARGUMENTS["model"], "itemFactors")
seen = pl.read_parquet(f"{ARGUMENTS['train']}/**/*.parquet", hive_partitioning=False, columns=["CUST_ID", "MOVIE_ID"])
places = (np.searchsorted(user_ids, seen["CUST_ID"].to_numpy()), np.searchsorted(item_ids, seen["MOVIE_ID"].to_numpy()))
matrix = csr_matrix((np.ones(len(seen), np.float32), places), shape=(len(user_ids), len(item_ids)))

model = AlternatingLeastSquares(factors=x.shape[1])
model.user_factors, model.item_factors = x, y
started, cpu = time.monotonic(), time.process_time()
items, scores = model.recommend(np.arange(len(user_ids)), matrix, N=10, filter_already_liked_items=True)
seconds, cpu = time.monotonic() - started, time.process_time() - cpu
columns = {
    "user": np.repeat(user_ids, 10),
    "rank": np.tile(np.arange(1, 11, dtype=np.int32), len(user_ids)),
    "item": item_ids[items.ravel()],
    "score": scores.ravel(),
}
pl.DataFrame(columns).write_parquet(ARGUMENTS["output"], compression="snappy")
tell(seconds=seconds, cpu_seconds=cpu, result=f"{len(user_ids)} lists")
