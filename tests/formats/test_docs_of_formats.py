"""docs/formats.md shows what the formats make of the demo, and names what there is."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from diga_verify.formats.csv import COLUMNS
from diga_verify.formats.page import Page
from diga_verify.formats.registry import BY_EXTENSION, FORMATS
from diga_verify.report import Report

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


def test_the_table_has_every_format_with_its_extension() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (?:`(\.\w+)`)? ?\| ", TEXT, re.MULTILINE)
    assert [name for name, _ in listed] == list(FORMATS)
    assert {extension: name for name, extension in listed if extension} == BY_EXTENSION


@pytest.mark.parametrize(
    ("format", "language"),
    [
        *(("junit", "xml"), ("markdown", "markdown"), ("github", "text")),
        *(("sarif", "json"), ("ocsf", "json"), ("oscal", "json")),
    ],
)
def test_the_examples_are_from_the_demo(format: str, language: str, demo_report: Report) -> None:
    rendered = re.sub(r"(127\.0\.0\.1):\d+", r"\1:PORT", FORMATS[format](demo_report, Page()))
    example = re.search(rf"^## {format}\n.*?^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert example
    assert f"\n{example[1]}" in f"\n{rendered}"


def test_the_columns_of_csv_in_their_order_with_a_row_of_the_demo(demo_report: Report) -> None:
    listed = re.findall(r"^\| `(\w+)` \| .* \| (?:`(.*)`|a time)? ?\|$", TEXT.partition("## csv")[2], re.MULTILINE)
    assert tuple(name for name, _ in listed) == COLUMNS
    rows = csv.DictReader(io.StringIO(FORMATS["csv"](demo_report, Page()), newline=""))
    row = next(row for row in rows if row["name"] == "dtx-video")
    assert dict(listed) == row | {"started_at": ""}


def test_the_readme_names_every_format() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [listed] = re.findall(r"what stdout gets: (.*?)\n +-o", readme, re.DOTALL)
    assert re.findall(r"\w+", listed.replace("(default)", "").replace(" or ", " ")) == list(FORMATS)
    assert "](docs/formats.md)" in readme
