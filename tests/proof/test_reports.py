"""Reports in a browser.

Claim: the page of a run, with drift, evaluation, training and models in it, opens in Chromium without a message on its console, runs no script,
and asks its server for nothing but itself. Data: generated. The same is asked of a page that does break these rules, to see that it is noticed. Skipped, and
said so, where there is no Chromium (Debian's package `chromium`).
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.recflow import Recflow

STREAM = "data/quickstart/streaming"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        assert "RECFLOW_REQUIRE_CHROMIUM" not in os.environ, "there is no Chromium"
        pytest.skip("there is no Chromium: apt install chromium")
    return found


@contextmanager
def served(folder: Path, asked: list[str]) -> Iterator[str]:
    """Serves a folder; `asked` gets the path of every request."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def opened(chromium: str, page: Path, profile: Path) -> tuple[str, list[str], list[str]]:
    """Opens a page: what became of it, what it asked its server for, and what the console said."""
    asked: list[str] = []
    with served(page.parent, asked) as url:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={profile}", "--virtual-time-budget=3000"]
        done = subprocess.run([chromium, *options, "--dump-dom", f"{url}/{page.name}"], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, sorted(set(asked)), [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def test_a_report_asks_nobody_and_says_nothing(recflow: Recflow, chromium: str, tmp_path: Path) -> None:
    """A run that drifted, so that every section is there."""
    small = ["-p", "rank=4", "-p", "max_iter=4"]
    recflow.call("run", "quickstart", "-q", "-p", "ratings=5000", *small)
    shutil.copy(recflow.workspace / STREAM / "drift.csv", recflow.workspace / STREAM / "current.csv")
    folders = ["-p", f"stream_dir={STREAM}", "-p", "processed_dir=data/quickstart/parquet"]
    recflow.call("run", "drift-retrain", "-q", *folders, *small)
    page = recflow.workspace / "page" / "report.html"
    recflow.call("report", "latest", "--output", str(page))

    dom, asked, said = opened(chromium, page, tmp_path / "profile")
    assert (asked, said) == (["/report.html"], [])
    for section in ("overview", "tasks", "drift", "evaluation", "training", "models"):
        assert f'<section id="{section}">' in dom, section


def test_a_page_that_is_none_of_that_is_noticed(chromium: str, tmp_path: Path) -> None:
    """What the proof above rests on: Chromium reports a script's error, and the server sees a picture asked for."""
    page = tmp_path / "page" / "bad.html"
    page.parent.mkdir()
    page.write_text('<!DOCTYPE html><link rel="icon" href="data:,"><img src="picture.png"><script>nothing.there()</script>')
    _, asked, said = opened(chromium, page, tmp_path / "profile")
    assert "/picture.png" in asked and any("nothing is not defined" in line for line in said), (asked, said)
