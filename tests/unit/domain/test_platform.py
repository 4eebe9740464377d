"""A host's system has a family, an id and a slug; rebuilds of RHEL are called after it."""

from __future__ import annotations

import pytest

from khien.domain.observation import HostFacts
from khien.domain.platform import PLATFORMS, SYSTEM_WORDS, is_on, system_words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (("debian", "debian", "12"), {"debian", "debian12"}),
        (("ubuntu", "debian", "24.04"), {"debian", "ubuntu", "ubuntu2404"}),
        (("almalinux", "redhat", "9.4"), {"redhat", "almalinux", "almalinux9", "rhel", "rhel9"}),
        (("centos", "redhat", "9"), {"redhat", "centos", "centos9", "rhel", "rhel9"}),
        (("fedora", "redhat", "41"), {"redhat", "fedora", "fedora41"}),
        (("", "debian", ""), {"debian"}),
        (("", "", ""), set()),
    ],
)
def test_a_system_is_called_by_these_words(facts: tuple[str, str, str], words: set[str]) -> None:
    assert system_words(HostFacts(os_id=facts[0], os_family=facts[1], os_version=facts[2])) == words


def test_no_word_means_everywhere() -> None:
    assert is_on((), frozenset())
    assert is_on(("rhel9", "debian12"), {"debian", "debian12"})
    assert not is_on(("rhel9",), {"debian"})


def test_every_platform_answers_to_its_own_words() -> None:
    for platform in PLATFORMS:
        assert platform.slug in platform.words <= SYSTEM_WORDS
