"""The language is taken from where it is said first, and words with two meanings have two translations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from khien import i18n

NAMES = ("KHIEN_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def no_language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = list(i18n._chosen)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    i18n._chosen.clear()
    yield
    i18n._chosen[:] = before


def test_without_a_word_about_it_texts_are_english() -> None:
    assert i18n.current_language() == "en"
    assert i18n._("failed") == "failed"


@pytest.mark.parametrize("value", ["vi", "vi_VN", "vi_VN.UTF-8", "VI"])
def test_the_forms_of_a_locale_name_are_understood(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", value)

    assert i18n.choose_language() == "vi"


def test_an_unknown_language_is_english() -> None:
    assert i18n.choose_language("fr_FR.UTF-8") == "en"


@pytest.mark.parametrize("name", NAMES[:-1])
def test_earlier_variables_win_over_lang(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv(name, "vi_VN.UTF-8")

    assert i18n.choose_language() == "vi"


def test_what_is_asked_for_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHIEN_LANG", "en")

    assert i18n.choose_language("vi") == "vi"
    assert i18n._("Agency") == "Cơ quan"


def test_a_failed_control_and_a_failed_host_have_words_of_their_own() -> None:
    i18n.choose_language("vi")

    assert i18n._("failed") == "không đạt"
    assert i18n.pgettext("host", "failed") == "thất bại"


def test_a_word_with_a_context_stays_itself_in_english() -> None:
    i18n.choose_language("en")

    assert i18n.pgettext("host", "failed") == "failed"


def test_counts_take_the_form_of_the_language() -> None:
    i18n.choose_language("en")
    assert [i18n.ngettext("{n} day", "{n} days", n) for n in (1, 2)] == ["{n} day", "{n} days"]

    i18n.choose_language("vi")
    assert {i18n.ngettext("{n} day", "{n} days", n) for n in (0, 1, 2)} == {"{n} ngày"}
