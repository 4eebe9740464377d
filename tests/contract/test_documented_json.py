"""docs/json.md and docs/guides/configuration.md say what the program does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

from khien.application.report import build_report
from khien.application.settings import Settings
from khien.reports.json import report_document
from tests.fakes.province import NOW, make_province

ROOT = Path(__file__).parents[2]
JSON_PAGE = (ROOT / "docs/json.md").read_text(encoding="utf-8")
CONFIGURATION_PAGE = (ROOT / "docs/guides/configuration.md").read_text(encoding="utf-8")


def test_every_schema_that_a_command_prints_is_documented() -> None:
    printed = {
        schema
        for folder in ("cli", "reports")
        for file in (ROOT / "khien" / folder).rglob("*.py")
        for schema in re.findall(r'"(khien\.[a-z_]+/\d+)"', file.read_text(encoding="utf-8"))
    }
    documented = {
        schema
        for heading in re.findall(r"^## (.*)$", JSON_PAGE, re.MULTILINE)
        for schema in re.findall(r"`(khien\.[a-z_]+/\d+)`", heading)
    }

    assert "khien.report/1" in printed
    assert printed <= documented


def test_every_key_of_a_report_is_documented() -> None:
    province = make_province(42)
    report = build_report(
        province.fleet,
        province.details,
        province.controls,
        now=NOW,
        stale_after=timedelta(hours=48),
        runs=province.runs,
    )
    document = json.loads(json.dumps(report_document(report)))
    # Names of states, references and packages are values that happen to stand as keys.
    named = {word for span in re.findall(r"`([^`\n]+)`", JSON_PAGE) for word in re.findall(r"\w+", span)}

    assert {key for key in keys(document) if key not in named} == set()


def keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            if key not in ("references", "value"):
                yield from keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", CONFIGURATION_PAGE, re.MULTILINE))

    assert set(rows) == {setting.name for setting in fields(Settings)}
    for setting in fields(Settings):
        if isinstance(setting.default, int | float) and not isinstance(setting.default, bool):
            assert rows[setting.name].strip() == str(setting.default)
