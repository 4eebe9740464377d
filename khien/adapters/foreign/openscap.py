"""OpenSCAP's results: XCCDF TestResult, alone, inside its benchmark or inside an ARF.

An ARF repeats the whole benchmark, often 15 MB of it. The file is read as a stream, and only what belongs to
a TestResult is kept. Entities and document types are refused: no honest result has any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler, feature_namespaces

from khien.adapters.foreign.moments import read_moment
from khien.domain.imported import ForeignReport, ImportedResult, Said
from khien.domain.text import safe_text
from khien.errors import InputError
from khien.i18n import _

_XCCDF = "http://checklists.nist.gov/xccdf/"
_PREFIX = re.compile(r"^xccdf_[A-Za-z0-9.-]+_(?:rule|profile|benchmark)_")
_SAID: Mapping[str, Said] = {
    "pass": Said.PASS,
    # It had failed; the scanner itself mended it and looked again.
    "fixed": Said.PASS,
    "fail": Said.FAIL,
    "notapplicable": Said.NOT_APPLICABLE,
    "error": Said.UNKNOWN,
    "unknown": Said.UNKNOWN,
    "notchecked": Said.UNKNOWN,
    "notselected": Said.NOT_ASSESSED,
    "informational": Said.NOT_ASSESSED,
}
_READ = {"target", "result", "message", "ident", "score"}
_LONGEST = 4000
_MOST_RESULTS = 200_000


def read_openscap(file: BinaryIO, path: Path) -> tuple[ForeignReport, ...]:
    """Return the reports of an ARF or XCCDF file.

    Raises:
        InputError: it is not well-formed, holds no result or one that cannot be understood.
    """
    # Imported only here: no other command pays for it.
    from defusedxml import DefusedXmlException
    from defusedxml.sax import make_parser

    handler = _TestResults(path)
    parser = make_parser()
    parser.setFeature(feature_namespaces, True)
    parser.forbid_dtd = True
    parser.setContentHandler(handler)
    try:
        parser.parse(file)
    except DefusedXmlException as error:
        raise InputError(
            _("it declares a document type or entities, which no result needs; it is not read"),
            path=path,
            line=handler.line,
        ) from error
    except SAXParseException as error:
        raise InputError(
            _("this is not well-formed XML: {problem}").format(problem=safe_text(error.getMessage(), 200)),
            path=path,
            line=error.getLineNumber(),
        ) from error
    if not handler.reports:
        raise InputError(_("it holds no TestResult element, so no results"), path=path)
    return tuple(handler.reports)


@dataclass
class _Rule:
    """The rule-result that is being read."""

    rule: str
    severity: str
    line: int
    result: str = ""
    messages: list[str] = field(default_factory=list)
    idents: list[str] = field(default_factory=list)


@dataclass
class _Open:
    """The TestResult that is being read."""

    line: int
    collected: str
    version: str
    system: str
    target: str = ""
    profile: str = ""
    benchmark: str = ""
    score: str = ""
    results: list[ImportedResult] = field(default_factory=list)


class _TestResults(ContentHandler):
    """Takes TestResult elements out of the stream."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.reports: list[ForeignReport] = []
        self._path = path
        self._locator: Any = None
        self._open: _Open | None = None
        self._rule: _Rule | None = None
        self._text: list[str] | None = None
        self._length = 0

    @property
    def line(self) -> int | None:
        """The line that is being read."""
        return self._locator.getLineNumber() if self._locator is not None else None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: ANN401, N802 - the name SAX calls
        """Remember who knows the line."""
        self._locator = locator

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:  # noqa: ANN401, ARG002, N802 - the name SAX calls
        """Begin an element."""
        uri, local = name
        if not (uri or "").startswith(_XCCDF):
            return
        words = {key[1]: value for key, value in attrs.items() if not key[0]}
        if local == "TestResult":
            self._open = _Open(
                line=self.line or 0,
                collected=words.get("end-time") or words.get("start-time") or "",
                version=words.get("version", ""),
                system=words.get("test-system", ""),
            )
        elif self._open is not None:
            self._start_inside(self._open, local, words)

    def _start_inside(self, report: _Open, local: str, words: Mapping[str, str]) -> None:
        if local == "rule-result":
            if not words.get("idref"):
                raise self._bad(_("a rule-result element has no idref"))
            self._rule = _Rule(words["idref"], words.get("severity", ""), self.line or 0)
        elif local == "profile" and self._rule is None:
            report.profile = _short(words.get("idref", ""))
        elif local == "benchmark" and self._rule is None:
            report.benchmark = _short(words.get("id", "") or words.get("href", ""))
        elif local in _READ:
            self._text, self._length = [], 0

    def characters(self, content: str) -> None:
        """Keep text where it is wanted, up to a bound."""
        if self._text is not None and self._length < _LONGEST:
            self._text.append(content[: _LONGEST - self._length])
            self._length += len(content)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: ARG002, N802 - the name SAX calls
        """End an element."""
        uri, local = name
        if self._open is None or not (uri or "").startswith(_XCCDF):
            return
        if local in _READ and self._text is not None:
            self._take(self._open, local, "".join(self._text).strip())
            self._text = None
        elif local == "rule-result" and self._rule is not None:
            self._open.results.append(self._result(self._rule))
            self._rule = None
            if len(self._open.results) > _MOST_RESULTS:
                raise self._bad(_("it holds more than {n} results").format(n=_MOST_RESULTS))
        elif local == "TestResult":
            self.reports.append(self._report(self._open))
            self._open = None

    def _take(self, report: _Open, local: str, text: str) -> None:
        if self._rule is None:
            if local == "target":
                report.target = text
            elif local == "score" and not report.score:
                report.score = text
        elif local == "result":
            self._rule.result = text
        elif local == "message":
            self._rule.messages.append(text)
        elif local == "ident":
            self._rule.idents.append(text)

    def _result(self, rule: _Rule) -> ImportedResult:
        if rule.result not in _SAID:
            raise self._bad(
                _("the result of rule {rule} is “{word}”, which XCCDF does not know").format(
                    rule=safe_text(rule.rule, 120), word=safe_text(rule.result, 40)
                ),
                rule.line,
            )
        return ImportedResult(
            rule=_short(rule.rule),
            said=_SAID[rule.result],
            word=rule.result,
            severity=rule.severity,
            detail=" ".join(rule.messages),
            identifiers=tuple(ident for ident in rule.idents if ident),
        )

    def _report(self, report: _Open) -> ForeignReport:
        if not report.results:
            raise self._bad(_("the TestResult element holds no rule-result"), report.line)
        moment = read_moment(report.collected)
        if moment is None:
            raise self._bad(_("the TestResult element says no end-time that is a moment"), report.line)
        tool, version = _tool(report.system)
        return ForeignReport(
            format="openscap",
            tool=tool,
            tool_version=version,
            profile=report.profile or "default",
            benchmark=" ".join(part for part in (report.benchmark, report.version) if part),
            target=report.target,
            collected_at=moment.at,
            zone_assumed=moment.zone_assumed,
            results=tuple(report.results),
            score=report.score,
        )

    def _bad(self, message: str, line: int | None = None) -> InputError:
        return InputError(message, path=self._path, line=line or self.line)


def _short(identifier: str) -> str:
    return _PREFIX.sub("", identifier.rpartition("/")[2])


def _tool(system: str) -> tuple[str, str]:
    """Read cpe:/a:redhat:openscap:1.3.7 or its longer form."""
    parts = system.removeprefix("cpe:2.3:").removeprefix("cpe:/").split(":")
    if not system.startswith("cpe:") or len(parts) < 3:
        return system or "XCCDF", ""
    product = "OpenSCAP" if parts[2] == "openscap" else parts[2]
    return product, parts[3] if len(parts) > 3 and parts[3] != "*" else ""
