"""Each peer in a virtual environment of its own, since their requirements exclude one another."""

import subprocess
import sys
from pathlib import Path

# Pinned, so that a table can be had again. Prefect's server does not start with the newest FastAPI that it allows.
PINNED = {"airflow": ["apache-airflow==3.3.2"], "prefect": ["prefect==3.8.8", "fastapi==0.139.0"], "luigi": ["luigi==3.8.1"]}


def install(peers: Path) -> bool:
    """Installs what is missing; whether all is there. A peer that cannot be installed is named, and the others go on."""
    complete = True
    for name, packages in PINNED.items():
        venv = peers / name
        try:
            if not (venv / "bin/python").exists():
                subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
            pip = [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *packages], check=True)
            print(f"{', '.join(packages)}: installed in {venv}")
        except (OSError, subprocess.CalledProcessError) as error:
            complete = False
            print(f"{name}: cannot be installed: {error}", file=sys.stderr)
    return complete
