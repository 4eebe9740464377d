"""The language of the process, as each test wants it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from khien.i18n import choose_language, current_language


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    before = current_language()
    choose_language("en")
    yield
    choose_language(before)
