"""The language of every text a user sees; gettext catalogues live in khien/locale."""

from __future__ import annotations

import gettext as _gettext
import os
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "vi")
_LOCALE_DIR = Path(__file__).parent / "locale"
_chosen: list[str] = []


def choose_language(wanted: str | None = None) -> str:
    """Set the language for this process and return it.

    Args:
        wanted: "en" or "vi"; None takes it from KHIEN_LANG, LC_ALL, LC_MESSAGES or LANG, else English.
    """
    names = ("KHIEN_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    candidates = [wanted] if wanted else [os.environ.get(name) for name in names]
    first = next((c for c in candidates if c), "en")
    language = first.split("_")[0].split(".")[0].lower()
    _chosen[:] = [language if language in LANGUAGES else "en"]
    return _chosen[0]


def current_language() -> str:
    """Return the language chosen for this process, choosing it from the environment at first use."""
    return _chosen[0] if _chosen else choose_language()


@cache
def _catalogue(language: str) -> _gettext.NullTranslations:
    return _gettext.translation("khien", _LOCALE_DIR, languages=[language], fallback=True)


def _(message: str) -> str:
    """Translate one message."""
    return _catalogue(current_language()).gettext(message)


def pgettext(context: str, message: str) -> str:
    """Translate a message whose words mean different things in different places."""
    return _catalogue(current_language()).pgettext(context, message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Translate a message that counts something."""
    return _catalogue(current_language()).ngettext(singular, plural, number)
