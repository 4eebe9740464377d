"""Answers of hosts are believed as far as they can be understood, and no further."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from khien.adapters.observations_json import read_observations
from khien.domain.observation import SCHEMA, Answer

AT = datetime(2026, 11, 23, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def document(**observations: object) -> dict[str, object]:
    facts = {"os_id": "debian", "os_family": "debian", "privileged": True, "uptime_seconds": 60}
    return {"schema": SCHEMA, "facts": facts, "observations": observations}


def test_answers_are_read_under_the_name_of_the_inventory() -> None:
    seen = read_observations("web-01", document(a={"answer": "answered", "value": [1], "ms": 3}), AT)

    assert seen is not None
    assert (seen.host, seen.collected_at, seen.facts.os_id, seen.facts.privileged) == (
        "web-01",
        AT,
        "debian",
        True,
    )
    assert (seen.observations["a"].value, seen.observations["a"].milliseconds) == ([1], 3)


def test_results_of_other_modules_are_none_of_ours() -> None:
    assert read_observations("web-01", {"schema": "khien.patch/1"}, AT) is None
    assert read_observations("web-01", {}, AT) is None


def test_one_malformed_answer_counts_as_failed_and_spoils_no_other() -> None:
    seen = read_observations(
        "web-01",
        document(
            good={"answer": "answered", "value": None},
            bad={"answer": "perfect"},
            worse=[],
            no={"answer": "answered"},
        ),
        AT,
    )

    assert seen is not None
    answers = {key: observation.answer for key, observation in seen.observations.items()}
    failed = Answer.FAILED
    assert answers == {"good": Answer.ANSWERED, "bad": failed, "worse": failed, "no": failed}


def test_a_value_counts_only_when_it_is_an_answer() -> None:
    seen = read_observations(
        "web-01", document(a={"answer": "needs_root", "value": 2, "detail": "x\x1b[31m"}), AT
    )

    assert seen is not None
    assert (seen.observations["a"].value, seen.observations["a"].detail) == (None, "x")


def test_without_facts_nothing_is_known_of_the_host() -> None:
    seen = read_observations("web-01", {"schema": SCHEMA, "facts": [], "observations": {}}, AT)

    assert seen is not None
    assert (seen.observations, seen.facts.os_family) == ({}, "")


def test_facts_of_the_wrong_type_stay_unknown_and_words_are_made_safe() -> None:
    said = {"os_id": 5, "os_name": "Debian\x1b]0;x\x07 12\n", "privileged": "yes", "uptime_seconds": True}
    seen = read_observations("web-01", {"schema": SCHEMA, "facts": said, "observations": {}}, AT)

    assert seen is not None
    facts = seen.facts
    assert (facts.os_id, facts.os_name, facts.privileged, facts.uptime_seconds) == ("", "Debian 12", False, 0)


@given(facts=JSON, observations=st.dictionaries(st.text(max_size=8), JSON, max_size=4) | JSON)
def test_no_answer_of_a_host_breaks_the_reader(facts: object, observations: object) -> None:
    assert (
        read_observations("h", {"schema": SCHEMA, "facts": facts, "observations": observations}, AT)
        is not None
    )
