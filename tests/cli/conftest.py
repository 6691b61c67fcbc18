"""Where commands are typed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def clean_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, 80 columns, and nothing of the caller's settings."""
    for name in [name for name in os.environ if name.startswith("DIGA_VERIFY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return tmp_path
