"""The words for reasons."""

from __future__ import annotations

import pytest

from khien.application.wording import REASONS, advise, describe, placeholders
from khien.domain.reason import ReasonCode
from khien.domain.run import Reason
from khien.i18n import choose_language


@pytest.fixture(autouse=True)
def english() -> None:
    choose_language("en")


@pytest.mark.parametrize("code", ReasonCode)
def test_every_code_has_words_that_need_no_argument(code: ReasonCode) -> None:
    sentence = describe(Reason(code))

    assert sentence
    assert sentence != code
    assert "{" not in sentence
    assert "{" not in advise(Reason(code))
    assert not placeholders(REASONS[code].sentences[-1])


def test_the_most_telling_sentence_is_said() -> None:
    held = {"path": "/var/lib/dpkg/lock", "holder": "apt-get", "pid": 417}

    assert describe(Reason(ReasonCode.PACKAGE_LOCK_HELD, held)) == (
        "The package lock /var/lib/dpkg/lock is held by apt-get, process 417."
    )
    assert describe(Reason(ReasonCode.PACKAGE_LOCK_HELD, {"detail": "apt, 417"})) == (
        "The package lock is held: apt, 417"
    )


def test_what_a_host_says_cannot_reach_the_terminal_as_an_escape_or_a_format() -> None:
    reason = Reason(ReasonCode.CONNECTION_LOST, {"message": "\x1b[31m{user} [bold]\n=cmd|x"})

    assert describe(reason) == "The host could not be reached: {user} [bold] =cmd|x"


def test_an_unknown_or_empty_code_is_no_error() -> None:
    assert describe(Reason("of_a_newer_version")) == "of_a_newer_version"
    assert describe(Reason()) == ""
    assert advise(Reason("of_a_newer_version")) == ""
