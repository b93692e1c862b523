"""Recommendations of a daemon, asked by clients that others wrote.

Claim: over HTTP (urllib) and gRPC (grpcio, which knows the service from reflection alone) a daemon gives the same lists and predictions, and they are
those of the factors in NumPy; without a token gRPC says `UNAUTHENTICATED`. Data: split u1 of MovieLens 100K. Tolerance: 1e-4 stars.

And: the Rust and the descriptors in `proto/generated` are what the `.proto` files give.
"""

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import polars as pl
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from support.figures import Figures
from support.recflow import Recflow

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60


class WithToken(grpc.UnaryUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Sends the token with every call."""

    def __init__(self, token: str) -> None:
        self.metadata = [("authorization", f"Bearer {token}")]

    def intercept_unary_unary(self, call: Any, details: Any, request: Any) -> Any:
        return call(details._replace(metadata=self.metadata), request)

    intercept_stream_stream = intercept_unary_unary


@dataclass(frozen=True)
class Daemon:
    """A daemon that serves, and the model that it serves."""

    address: str
    token: str
    version: Path

    def http(self, path: str, body: Any = None) -> Any:
        """An answer of the HTTP API."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://{self.address}/api/v1/models/current/{path}", data, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)

    def grpc(self, service: str, call: str, /, token: str | None = None, **fields: Any) -> Any:
        """An answer over gRPC, by what reflection says of the call."""
        with grpc.insecure_channel(self.address) as plain:
            pool = DescriptorPool(ProtoReflectionDescriptorDatabase(grpc.intercept_channel(plain, WithToken(self.token))))
            method = pool.FindServiceByName(service).methods_by_name[call]
            request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
            channel = grpc.intercept_channel(plain, WithToken(self.token if token is None else token))
            ask = channel.unary_unary(
                f"/{service}/{call}", request_serializer=request.SerializeToString, response_deserializer=response.FromString
            )
            return ask(request(**fields), timeout=PATIENCE_SECONDS)

    def side(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Ids and factors of one side of the model."""
        table = pl.read_parquet(self.version / name / "*.parquet").sort("id")
        return table["id"].to_numpy(), table["features"].explode().to_numpy().reshape(len(table), -1)


@pytest.fixture
def daemon(recflow: Recflow, shared: Path) -> Iterator[Daemon]:
    """A daemon with a model of u1's training set."""
    recflow.stage("import", train_file=str(shared / "ml-100k" / "u1.base.gz"), train_output="train")
    trained = recflow.stage("train_als", ratings="train", models="models/artifacts", rank=16, max_iter=5)
    recflow.call("user", "add", "proof")
    token = recflow.call("token", "create", "proof", "--user", "proof").strip()
    log = recflow.workspace / "daemon.log"
    command = [recflow.binary, "--workspace", recflow.workspace, "daemon", "--listen", "127.0.0.1:0", "--log-file", log]
    with subprocess.Popen(command, cwd=recflow.workspace, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not (found := re.search(r'address="([^"]+)"', log.read_text() if log.exists() else "")):
                assert time.monotonic() < deadline and process.poll() is None, "the daemon did not start"
                time.sleep(0.05)
            yield Daemon(found.group(1), token, recflow.workspace / trained["path"])
        finally:
            process.terminate()


def test_http_and_grpc_give_the_lists_of_the_factors(daemon: Daemon, figures: Figures) -> None:
    user_ids, users = daemon.side("userFactors")
    item_ids, items = daemon.side("itemFactors")
    largest = 0.0
    for row in range(0, len(user_ids), 31):
        user = int(user_ids[row])
        scores = items.astype(np.float64) @ users[row]
        best = np.lexsort((item_ids, -scores))[:20]
        over_http = [(place["item"], place["score"]) for place in daemon.http(f"recommendations/{user}?k=20")["items"]]
        over_grpc = daemon.grpc("recflow.v1.Recommender", "RecommendForUser", user=str(user), k=20)
        assert [(int(place.item), place.score) for place in over_grpc.items] == over_http
        difference = np.abs(np.array([score for _, score in over_http]) - scores[best]).max()
        assert difference < 1e-4, user
        largest = max(largest, float(difference))
    figures.add("lists of a daemon over HTTP and gRPC", f"{largest:.1e} stars apart at most", "NumPy, grpcio")


def test_what_is_not_a_list_agrees_too(daemon: Daemon) -> None:
    service = "recflow.v1.Recommender"
    ratings = [{"item": 50, "rating": 5.0}, {"item": 181, "rating": 4.0}, {"item": 999_999, "rating": 3.0}]
    http = daemon.http("fold-in", {"ratings": ratings, "k": 7})
    told = daemon.grpc(service, "FoldInAndRecommend", ratings=[{"item": str(r["item"]), "rating": r["rating"]} for r in ratings], k=7)
    assert [(int(place.item), place.score) for place in told.items] == [(place["item"], place["score"]) for place in http["items"]]
    assert (list(told.unknown_items), http["unknown_items"]) == (["999999"], [999_999])

    http = daemon.http("predict", {"pairs": [{"user": 1, "item": 50}, {"user": 0, "item": 50}]})["predictions"]
    told = daemon.grpc(service, "PredictRatings", pairs=[{"user": "1", "item": "50"}, {"user": "0", "item": "50"}]).predictions
    assert told[0].rating == http[0]["rating"] and not told[1].HasField("rating") and http[1]["rating"] is None
    assert (told[1].knows_user, told[1].knows_item) == (False, True)

    stranger = daemon.grpc(service, "RecommendForUser", user="nobody", k=3)
    assert stranger.fallback == 1 and daemon.http("recommendations/nobody?k=3")["fallback"] == "popular"
    counts = pl.read_parquet(daemon.version.parents[2] / "train/**/*.parquet", hive_partitioning=False).group_by("MOVIE_ID").len()
    expected = counts.sort(["len", "MOVIE_ID"], descending=[True, False])["MOVIE_ID"][:3].to_list()
    assert [int(place.item) for place in stranger.items] == expected


def test_health_answers_and_nobody_is_answered_without_a_token(daemon: Daemon) -> None:
    assert daemon.grpc("grpc.health.v1.Health", "Check", service="recflow.v1.Recommender").status == 1
    for service, call in [("recflow.v1.Recommender", "RecommendForUser"), ("grpc.health.v1.Health", "Check")]:
        with pytest.raises(grpc.RpcError) as refused:
            daemon.grpc(service, call, token="wrong")
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED, call
    with pytest.raises(grpc.RpcError) as refused:
        daemon.grpc("recflow.v1.Recommender", "RecommendForUser", user="1", k=1_001)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "1 to 1000" in refused.value.details()


def test_generated_code_is_what_the_proto_files_give(tmp_path: Path) -> None:
    manifest = ROOT / "proto" / "codegen" / "Cargo.toml"
    subprocess.run(["cargo", "run", "--quiet", "--locked", "--manifest-path", manifest, "--", tmp_path], check=True)
    committed = sorted((ROOT / "proto" / "generated").iterdir())
    assert [path.name for path in committed] == sorted(path.name for path in tmp_path.iterdir())
    for path in committed:
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), f"{path.name}: run proto/codegen"
