"""The JSON document: its schema, its sums, and that it carries plain text only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from khien.application.report import build_report
from khien.reports.json import report_document
from tests.fakes.province import NOW, make_province


@pytest.fixture(scope="module")
def document() -> dict[str, object]:
    province = make_province(42)
    report = build_report(
        province.fleet,
        province.details,
        province.controls,
        now=NOW,
        stale_after=timedelta(hours=48),
        runs=province.runs,
    )
    loaded: dict[str, object] = json.loads(json.dumps(report_document(report), ensure_ascii=False))
    return loaded


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def test_the_document_names_its_schema_first(document: dict[str, object]) -> None:
    assert next(iter(document.items())) == ("schema", "khien.report/1")


def test_no_text_in_it_can_do_anything_to_a_terminal(document: dict[str, object]) -> None:
    everything = list(texts(document))

    assert any("<script>alert(1)</script>" in text for text in everything), "the host's words are kept"
    for text in everything:
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), repr(text)


def test_hosts_and_agencies_sum_up_to_the_totals(document: dict[str, object]) -> None:
    totals = document["totals"]
    assert isinstance(totals, dict)
    agencies, hosts = document["agencies"], document["hosts"]
    assert isinstance(agencies, list)
    assert isinstance(hosts, list)

    assert totals["hosts"]["total"] == len(hosts) == sum(a["hosts"]["total"] for a in agencies) == 42
    assert totals["hosts"]["compliant"] == sum(host["compliant"] for host in hosts)
    assert totals["verdicts"]["failed"] == sum(len(host["failed"]) for host in hosts)
    assert totals["verdicts"]["unknown"] == sum(len(host["unknown"]) for host in hosts)
    assert totals["security_updates"]["hosts_known"] == sum(h["pending_security"] is not None for h in hosts)


def test_what_is_not_known_is_null_and_not_zero(document: dict[str, object]) -> None:
    hosts = document["hosts"]
    assert isinstance(hosts, list)
    unseen = [host for host in hosts if host["freshness"] == "never"]

    assert len(unseen) == 2
    for host in unseen:
        assert (host["verdicts"], host["verified_at"], host["pending_security"]) == (None, None, None)
        assert host["compliant"] is False
