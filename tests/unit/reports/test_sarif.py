"""SARIF 2.1.0: valid, honest, stable."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fluidattacks_core.sarif import SarifLog

from khien.domain.finding import Verdict
from khien.reports.sarif import render_sarif
from tests.unit.reports.exchanges import make_exchange, never_verified, texts, verdicts


@pytest.fixture(scope="module")
def run() -> dict[str, Any]:
    document = json.loads(render_sarif(make_exchange()))
    assert document["version"] == "2.1.0"
    (only,) = document["runs"]
    return only  # type: ignore[no-any-return]


def host_of(result: dict[str, Any]) -> str:
    return str(result["locations"][0]["logicalLocations"][0]["name"])


@pytest.mark.parametrize("hosts", [0, 1, 42])
def test_the_log_is_valid_for_the_models_made_from_the_schema(hosts: int) -> None:
    SarifLog.model_validate(json.loads(render_sarif(make_exchange(hosts))))


def test_each_verdict_has_a_kind_of_its_own(run: dict[str, Any]) -> None:
    truth = verdicts(make_exchange())
    kinds = {
        Verdict.PASS: "pass",
        Verdict.FAIL: "fail",
        Verdict.WAIVED: "fail",
        Verdict.UNKNOWN: "open",
        Verdict.NOT_APPLICABLE: "notApplicable",
    }
    seen = {
        (host_of(result), result["ruleId"]): result
        for result in run["results"]
        if result["ruleId"] not in ("never_verified", "stale_verification")
    }

    assert {key: result["kind"] for key, result in seen.items()} == {
        key: kinds[verdict] for key, verdict in truth.items()
    }
    for key, result in seen.items():
        assert ("suppressions" in result) == (truth[key] is Verdict.WAIVED)
        # The specification: whatever is no failure has no level.
        assert (result["level"] == "none") == (result["kind"] != "fail")
    assert all(
        result["suppressions"][0]["justification"] for result in seen.values() if "suppressions" in result
    )


def test_hosts_never_verified_or_stale_have_an_open_result_that_says_so(run: dict[str, Any]) -> None:
    exchange = make_exchange()
    never = [result for result in run["results"] if result["ruleId"] == "never_verified"]
    stale = [result for result in run["results"] if result["ruleId"] == "stale_verification"]

    assert {host_of(result) for result in never} == never_verified(exchange)
    assert len(stale) == exchange.totals.stale > 0
    assert {result["kind"] for result in (*never, *stale)} == {"open"}
    assert never[0]["properties"]["age_seconds"] is None
    assert stale[0]["properties"]["age_seconds"] > 48 * 3600


def test_every_result_points_at_its_rule(run: dict[str, Any]) -> None:
    rules = run["tool"]["driver"]["rules"]

    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert "left_the_catalogue" in {rule["id"] for rule in rules}


def test_ids_are_unique_and_the_same_every_time(run: dict[str, Any]) -> None:
    ids = [result["guid"] for result in run["results"]]

    assert len(set(ids)) == len(ids)
    assert render_sarif(make_exchange()) == render_sarif(make_exchange())


def test_no_control_characters_reach_the_log(run: dict[str, Any]) -> None:
    assert not [text for text in texts(run) if any(ord(c) < 32 or "\u202a" <= c <= "\u202e" for c in text)]
