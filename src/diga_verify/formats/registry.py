"""The formats, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from diga_verify.formats import csv, github, html, json, junit, markdown, ocsf, oscal, sarif, table
from diga_verify.formats.page import Page
from diga_verify.report import Report

FORMATS: Mapping[str, Callable[[Report, Page], str]] = {
    "table": table.render,
    "json": json.render,
    "junit": junit.render,
    "markdown": markdown.render,
    "github": github.render,
    "csv": csv.render,
    "sarif": sarif.render,
    "ocsf": ocsf.render,
    "oscal": oscal.render,
    "html": html.render,
}
BY_EXTENSION = {
    ".json": "json",
    ".txt": "table",
    ".xml": "junit",
    ".md": "markdown",
    ".csv": "csv",
    ".sarif": "sarif",
    ".html": "html",
}
