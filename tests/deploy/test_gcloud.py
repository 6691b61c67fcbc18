"""Google's own command line, where it is installed, makes the role of our file. What answers is no cloud: it writes
down what it is asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROLE = Path(__file__).parents[2] / "deploy" / "terraform" / "roles" / "gate.yaml"


class _Scribe(BaseHTTPRequestHandler):
    asked: list[tuple[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.path.partition("?")[0], json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"name": "projects/dtx-data/roles/digaVerifyGate", "stage": "GA"}')

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def scribe(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setattr(_Scribe, "asked", [], raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Scribe) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_gcloud_makes_the_role(scribe: ThreadingHTTPServer, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        "CLOUDSDK_AUTH_ACCESS_TOKEN": "none",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM": f"http://127.0.0.1:{scribe.server_port}/",
    }
    command = ["gcloud", "iam", "roles", "create", "digaVerifyGate", "--project", "dtx-data", "--file", str(ROLE)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    made = dict(_Scribe.asked)["/v1/projects/dtx-data/roles"]
    assert made == {"roleId": "digaVerifyGate", "role": YAML(typ="safe").load(ROLE)}
