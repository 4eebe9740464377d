"""OSCAL assessment results: valid, honest, stable."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from oscal_bindings import AssessmentResultsDocument

from khien.domain.finding import Verdict
from khien.reports.oscal import oscal_document, render_oscal
from tests.unit.reports.exchanges import make_exchange, never_verified, texts, verdicts


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(render_oscal(make_exchange()))
    return value["assessment-results"]  # type: ignore[no-any-return]


def prop(item: dict[str, Any], name: str) -> str | None:
    return next((p["value"] for p in item.get("props", ()) if p["name"] == name), None)


@pytest.mark.parametrize("hosts", [0, 1, 17, 42])
def test_the_document_is_valid_for_the_models_made_from_the_schema(hosts: int) -> None:
    # As values, not as text: only so do the models refuse keys that they do not know.
    AssessmentResultsDocument.model_validate(json.loads(render_oscal(make_exchange(hosts))))


def test_only_a_pass_is_satisfied(document: dict[str, Any]) -> None:
    truth = verdicts(make_exchange())
    seen = {}
    for result in document["results"]:
        for finding in result.get("findings", ()):
            target = finding["target"]
            seen[result["title"], target["target-id"]] = target["status"]

    assert {key for key, status in seen.items() if status["state"] == "satisfied"} == {
        key for key, verdict in truth.items() if verdict is Verdict.PASS
    }
    for key, status in seen.items():
        if truth[key] in (Verdict.UNKNOWN, Verdict.WAIVED):
            assert (status["state"], status["reason"]) == ("not-satisfied", "other")
            assert status["remarks"]
    assert not {key for key in seen if truth[key] is Verdict.NOT_APPLICABLE}


def test_every_finding_is_an_observation_with_its_own_verdict(document: dict[str, Any]) -> None:
    truth = verdicts(make_exchange())
    seen = {
        (result["title"], prop(observation, "control")): prop(observation, "verdict")
        for result in document["results"]
        for observation in result.get("observations", ())
        if prop(observation, "verdict") != "never_verified"
    }

    assert seen == {key: verdict.value for key, verdict in truth.items()}


def test_a_waiver_is_an_approved_deviation_and_a_failure_an_open_risk(document: dict[str, Any]) -> None:
    truth = verdicts(make_exchange())
    by_status: dict[str, int] = {}
    for result in document["results"]:
        for risk in result.get("risks", ()):
            by_status[risk["status"]] = by_status.get(risk["status"], 0) + 1

    values = list(truth.values())
    assert by_status == {
        "open": values.count(Verdict.FAIL),
        "deviation-approved": values.count(Verdict.WAIVED),
    }


def test_hosts_never_verified_are_named_as_such(document: dict[str, Any]) -> None:
    last = document["results"][-1]

    assert last["title"] == "Hosts never verified"
    assert {o["subjects"][0]["title"] for o in last["observations"]} == never_verified(make_exchange())
    assert "findings" not in last
    assert prop(document["metadata"], "hosts-total") == "42"


def test_each_result_says_its_age(document: dict[str, Any]) -> None:
    judged = [result for result in document["results"] if "findings" in result]

    assert len(judged) == 40
    assert all(int(prop(result, "age-seconds") or "-1") > 0 for result in judged)
    assert {prop(result, "freshness") for result in judged} == {"fresh", "stale"}


def test_references_inside_the_document_lead_somewhere(document: dict[str, Any]) -> None:
    for result in document["results"]:
        there = {o["uuid"] for o in result.get("observations", ())} | {
            r["uuid"] for r in result.get("risks", ())
        }
        items = {i["uuid"] for i in result["local-definitions"]["inventory-items"]}
        for finding in (*result.get("findings", ()), *result.get("risks", ())):
            named = [one["observation-uuid"] for one in finding["related-observations"]]
            named += [one["risk-uuid"] for one in finding.get("related-risks", ())]
            assert set(named) <= there
        for observation in result["observations"]:
            assert observation["subjects"][0]["subject-uuid"] in items


def test_ids_are_unique_and_the_same_every_time() -> None:
    first, second = oscal_document(make_exchange()), oscal_document(make_exchange())
    ids: list[str] = []

    def collect(value: object) -> None:
        if isinstance(value, dict):
            ids.extend(str(v) for k, v in value.items() if k == "uuid")
            for item in value.values():
                collect(item)
        elif isinstance(value, list):
            for item in value:
                collect(item)

    collect(first["assessment-results"]["results"])  # type: ignore[index]
    assert first == second
    assert len(ids) == len(set(ids))
    assert {uuid.UUID(one).version for one in ids} == {5}


def test_no_control_characters_reach_the_document(document: dict[str, Any]) -> None:
    said = texts(document)

    assert any("<script>" in text for text in said)
    assert not [text for text in said if any(ord(c) < 32 or "\u202a" <= c <= "\u202e" for c in text)]
