"""The Vietnamese catalogue holds every text of the sources, translated, and no text goes round it."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "khien" / "locale" / "vi" / "LC_MESSAGES"
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "gettext": None}
FIELD = re.compile(r"\{[^{}]*\}")
LETTERS = re.compile(r"[A-Za-z]{3}")
SHOWING = {
    "Label",
    "Static",
    "Button",
    "Checkbox",
    "RadioButton",
    "notify",
    "echo",
    "say",
    "Piece",
    "add_column",
}
"""Calls whose first argument a person reads."""
SHOWN = {"help", "tooltip", "placeholder", "prompt", "border_title"}
"""Keyword arguments that a person reads."""


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with (FOLDER / "khien.po").open("rb") as file:
        return read_po(file, locale="vi", abort_invalid=True)


def ids(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def texts(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


@pytest.fixture(scope="module")
def extracted() -> set[tuple[str | None, str | tuple[str, ...]]]:
    methods, options = parse_mapping_cfg(io.StringIO((ROOT / "babel.cfg").read_text()))
    found = set()
    for folder in ("khien", "tui"):
        mapping = [(p.removeprefix(f"{folder}/"), m) for p, m in methods if p.startswith(f"{folder}/")]
        own = {p.removeprefix(f"{folder}/"): o for p, o in options.items()}
        for _file, _line, message, _notes, context in extract_from_dir(
            str(ROOT / folder), method_map=mapping, options_map=own, keywords=KEYWORDS
        ):
            found.add((context, message))
    return found


def test_every_text_of_the_sources_is_in_the_catalogue(
    catalogue: Catalog, extracted: set[tuple[str | None, str | tuple[str, ...]]]
) -> None:
    missing = [message for context, message in extracted if catalogue.get(message, context=context) is None]

    assert len(extracted) > 500
    assert not missing, "run `make catalogue` and translate what is new"


def test_every_text_is_translated(catalogue: Catalog) -> None:
    open_ones = [m.id for m in catalogue if m.id and (m.fuzzy or not all(texts(m)))]

    assert not open_ones


def test_translations_keep_the_placeholders_and_the_spaces_around(catalogue: Catalog) -> None:
    wrong = [
        m.id
        for m in catalogue
        if m.id
        for text in texts(m)
        if sorted(set(FIELD.findall(text))) != sorted(set(FIELD.findall(ids(m)[-1])))
        or text[-1:].isspace() != ids(m)[-1][-1:].isspace()
    ]

    assert not wrong


def test_plurals_have_the_one_form_that_vietnamese_has(catalogue: Catalog) -> None:
    assert catalogue.num_plurals == 1
    assert all(len(texts(m)) == 1 for m in catalogue if m.id)


def test_the_compiled_catalogue_is_what_the_texts_compile_to(catalogue: Catalog) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)

    assert (FOLDER / "khien.mo").read_bytes() == compiled.getvalue(), "run `make catalogue`"


def _literals(node: ast.expr) -> Iterator[str]:
    """Yield the text of a literal; f-strings count by what stands between their values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from _literals(part)
    elif isinstance(node, ast.BinOp):
        yield from _literals(node.left)
        yield from _literals(node.right)


def _untranslated(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        shown = [word.value for word in node.keywords if word.arg in SHOWN]
        if name in SHOWING:
            shown += node.args[:1]
        if name == "Binding":
            shown += node.args[2:3]
        for argument in shown:
            for text in _literals(argument):
                if LETTERS.search(text.replace("Khiên", "")):
                    yield node.lineno, text


@pytest.mark.parametrize("folder", ["khien/cli", "tui"])
def test_no_text_for_people_goes_round_the_catalogue(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, text in _untranslated(path.read_text())
    ]

    assert not found


def test_the_search_for_such_texts_finds_them() -> None:
    source = """
Label("Every host")
Option(help="Not asked")
notify(f"{n} hosts")
Binding("q", "leave", "Quit")
Label(_("Translated")); Label("—"); Binding("q", "leave", N_("Quit"))
"""
    assert [line for line, _text in _untranslated(source)] == [2, 3, 4, 5]


def test_templates_hold_no_words_outside_the_catalogue() -> None:
    for path in (ROOT / "khien" / "reports" / "templates").glob("*.j2"):
        text = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<(style|script).*?</\1>|<[^>]*>",
            " ",
            path.read_text(),
            flags=re.DOTALL,
        )
        words = re.findall(r"[A-Za-z]{3,}", re.sub(r"&\w+;", " ", text))
        assert not [word for word in words if word != "Khi"], path.name
