"""The API against its own document, by a client that nobody here wrote.

Claim: a daemon does what its OpenAPI document says. Schemathesis reads the document from the daemon and sends what it allows and what it does not: no call
fails with a status, a media type or a body that the document does not have; what the document allows is accepted, what it forbids is refused;
nothing answers without credentials. Data: made by Schemathesis, seeded. Calls that may take away the access of whoever asks come last, in a daemon of
their own.

It has an environment of its own (`api/requirements.txt`), made by `setup`: its dependencies and those of the other proofs need not agree.
"""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.figures import Figures
from support.recflow import Recflow

ROOT = Path(__file__).resolve().parents[2]
# Calls that take access away: they are tried once nothing else needs it.
FATAL = ["removeUser", "changeUser", "revokeToken"]


def schemathesis() -> Path:
    """The client."""
    venv = Path(os.environ.get("RECFLOW_VENV", ROOT / ".venv"))
    path = venv.with_name(venv.name + "-api") / "bin" / "schemathesis"
    assert path.is_file(), f"`{path}` is not there: run `make proof`, or `tests/proof/setup`"
    return path


@contextmanager
def daemon(recflow: Recflow) -> Iterator[tuple[str, str]]:
    """A daemon with one administrator: its address, and their token."""
    # A name that no made-up data hits.
    recflow.call("user", "add", "proof-administrator", "--role", "admin")
    token = recflow.call("token", "create", "proof", "--role", "admin").strip()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RECFLOW_")}
    log = recflow.workspace / "daemon.log"
    arguments = ["daemon", "--workspace", str(recflow.workspace), "--listen", "127.0.0.1:0", "--log-file", str(log)]
    with subprocess.Popen([str(recflow.binary), *arguments], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 60
            while (found := re.search(r'address="([^"]+)"', log.read_text() if log.exists() else "")) is None:
                assert process.poll() is None and time.monotonic() < until, "the daemon did not start"
                time.sleep(0.05)
            yield f"http://{found[1]}", token
        finally:
            process.terminate()
            process.wait(timeout=60)


def tried(recflow: Recflow, *arguments: str) -> str:
    """What Schemathesis says of a daemon; fails with that if it found anything."""
    with daemon(recflow) as (url, token):
        command = [str(schemathesis()), f"--config-file={ROOT}/tests/proof/api/schemathesis.toml", "run", f"{url}/api/v1/openapi.json", *arguments]
        environment = os.environ | {"PROOF_TOKEN": token, "NO_COLOR": "1"}
        done = subprocess.run(command, cwd=recflow.workspace, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    return done.stdout


@pytest.mark.parametrize("fatal", [False, True], ids=["calls", "calls-that-take-access-away"])
def test_the_daemon_does_what_its_document_says(recflow: Recflow, figures: Figures, fatal: bool) -> None:
    """All phases for most calls; those that take access away without following one another."""
    select = "--include-operation-id" if fatal else "--exclude-operation-id"
    chosen = [word for name in FATAL for word in (select, name)]
    said = tried(recflow, *chosen, *(["--phases=examples,coverage,fuzzing"] if fatal else []))
    cases = re.search(r"(\d[\d,]*) generated", said)
    assert cases is not None, said
    operations = re.search(r"Tested: (\d+)", said)
    figures.add(f"API: requests that Schemathesis made up{' (calls that take access away)' if fatal else ''}", cases[1], f"{operations[1] if operations else '?'} calls, no failure")
