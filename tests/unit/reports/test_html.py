"""The page: its figures, its anchors, and that nothing a host says becomes more than text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta, timezone
from html.parser import HTMLParser

import pytest

from khien.application.report import Report, build_report
from khien.i18n import choose_language
from khien.reports.html import render_html
from tests.fakes.province import FORMULA, HOSTILE, NOW, Province, make_province

VIETNAM = timezone(timedelta(hours=7))
STRUCTURE = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "main",
    "footer",
    "nav",
    "div",
    "section",
}
WORDS = {"h1", "h2", "h3", "p", "a", "b", "i", "span", "small", "code", "dl", "dt", "dd", "ul", "ol", "li"}
TABLES = {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "details", "summary"}
VOID = {"meta", "img", "br", "hr", "input", "link"}


class Page(HTMLParser):
    """What a browser would see: elements with attributes, and the text of each element."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.unbalanced: list[str] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(text)
        self.close()
        self.unbalanced += [tag for tag, _pieces in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.handle_data(" ")
        if tag not in VOID:
            self._open.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.unbalanced.append("/" + tag)
            return
        _tag, pieces = self._open.pop()
        self.handle_data(" ")
        self.texts.append((tag, "".join(pieces).strip()))

    def handle_data(self, data: str) -> None:
        for _tag, pieces in self._open:
            pieces.append(data)

    def text_of(self, tag: str) -> list[str]:
        return [" ".join(text.split()) for name, text in self.texts if name == tag]

    def text(self) -> str:
        return self.text_of("body")[0]


def report_of(province: Province, scope: str = "") -> Report:
    return build_report(
        province.fleet,
        province.details,
        province.controls,
        now=NOW,
        stale_after=timedelta(hours=48),
        runs=province.runs,
        scope=scope,
    )


@pytest.fixture(scope="module")
def source() -> str:
    choose_language("en")
    return render_html(report_of(make_province(42)), VIETNAM)


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def test_nothing_on_the_page_can_run_or_be_fetched(page: Page) -> None:
    tags = {tag for tag, _attributes in page.elements}

    assert tags <= STRUCTURE | WORDS | TABLES
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "srcset", "action") for name in attributes), (
            tag
        )
        assert (attributes.get("href") or "#").startswith("#")
        style = attributes.get("style")
        assert style is None or re.fullmatch(r"width:\d{1,3}\.\d\d%", style)


def test_the_browser_is_told_to_refuse_whatever_might_still_slip_in(source: str) -> None:
    assert "default-src 'none'; style-src 'unsafe-inline'" in source


def test_the_style_sheet_fetches_nothing(source: str) -> None:
    style = source[source.index("<style>") : source.index("</style>")]

    assert "url(" not in style
    assert "@import" not in style


def test_a_hostile_hosts_words_are_on_the_page_as_plain_text(source: str, page: Page) -> None:
    text = page.text()

    assert "<script>alert(1)</script><img src=x onerror=alert(1)>" in text
    assert "[bold red]markup[/bold red]" in text
    assert "{{ 7*7 }}" in text
    assert "owned" not in text, "the title that a terminal escape sets is part of the escape"
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source)
    assert HOSTILE not in source


def test_no_text_begins_like_a_formula_that_a_spreadsheet_would_take(page: Page) -> None:
    for tag in ("td", "th", "li", "dd", "summary", "code", "div"):
        for text in page.text_of(tag):
            if text and text[0] in "=+-@":
                assert tag in ("code", "div"), f"{tag}: {text}"
    assert any(text == "'" + FORMULA for text in page.text_of("td"))


def test_every_element_is_closed_where_it_should_be(page: Page) -> None:
    assert page.unbalanced == []


def test_every_link_leads_to_one_place(page: Page) -> None:
    ids = [attributes["id"] for _tag, attributes in page.elements if "id" in attributes]
    links = {a["href"] for tag, a in page.elements if tag == "a"}

    assert len(ids) == len(set(ids))
    assert links <= {f"#{name}" for name in ids}


def test_the_headline_figures_stand_with_their_denominators(page: Page) -> None:
    text = page.text()

    assert "Compliant hosts 11 / 42 · 26%" in text
    assert "Hosts verified lately 37 / 42 · 88%" in text
    assert "3 stale, 2 never verified." in text
    assert "Hosts to patch 15 / 36 · 42%" in text
    assert "Known on 36 of 42 hosts." in text
    assert "21 unknown" in text
    assert "As of 2026-11-23 08:15 UTC+07:00" in text


def test_a_host_that_was_never_verified_shows_no_zero_where_nothing_is_known(page: Page) -> None:
    rows = [row for row in page.text_of("tr") if "Never verified" in row]

    assert len(rows) == 2
    assert all(row.endswith("Never verified — — — — — not known not known —") for row in rows)


def test_a_failed_control_is_explained_with_its_way_back(page: Page) -> None:
    text = page.text()

    assert "Seen (expected): sshd_password_login_off = " in text
    assert "Way back Remove the drop-in file and reload." in text
    assert "This control is no longer in the catalogue." in text


def test_a_host_that_left_the_inventory_says_so() -> None:
    province = make_province(3, hostile=False)
    fleet = (replace(province.fleet[0], in_inventory=False), *province.fleet[1:])

    text = Page(render_html(report_of(replace(province, fleet=fleet)), VIETNAM)).text()

    assert "(1 of them no longer in the inventory)" in text
    assert "not in the inventory" in text


def test_the_scope_is_shown_as_it_was_asked_for() -> None:
    text = Page(render_html(report_of(make_province(1), "--limit <b>web*</b>"), VIETNAM)).text()

    assert "Scope --limit <b>web*</b>" in text


def test_an_empty_fleet_still_makes_a_whole_page() -> None:
    page = Page(render_html(report_of(Province((), {}, {}, ())), VIETNAM))

    assert page.unbalanced == []
    assert "Compliant hosts 0 / 0 · —" in page.text()
    assert "There were no runs." in page.text()


def test_a_small_fleet_is_unfolded_and_a_large_one_folded() -> None:
    def is_open(hosts: int) -> set[bool]:
        page = Page(render_html(report_of(make_province(hosts)), VIETNAM))
        return {"open" in a for tag, a in page.elements if tag == "details" and a.get("class") == "host"}

    assert is_open(10) == {True}
    assert is_open(200) == {False}


def test_five_thousand_hosts_make_a_page_that_a_browser_can_still_hold() -> None:
    source = render_html(report_of(make_province(5000)), VIETNAM)

    assert len(source) < 10_000_000
    assert source.count("<tr>") > 5000


def test_the_page_speaks_the_language_of_the_process() -> None:
    choose_language("vi")

    source = render_html(report_of(make_province(5, hostile=False)), VIETNAM)

    assert '<html lang="vi">' in source
    assert "23/11/2026 08:15" in source
    assert "Nhân bố trí bộ nhớ ngẫu nhiên" in source
