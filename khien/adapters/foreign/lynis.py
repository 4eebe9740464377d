"""Lynis' report.dat: lines of key=value, lists as key[]=value.

The file names what Lynis warns of and suggests, which tests ran and which were left out. It never says
that something is well: a test that ran without a remark may only have looked something up, so it counts as
no judgement.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from khien.adapters.foreign.moments import read_moment
from khien.domain.imported import ForeignReport, ImportedResult, Said
from khien.domain.text import safe_text
from khien.errors import InputError
from khien.i18n import _

_KEY = re.compile(r"[A-Za-z0-9_.:/-]+(?:\[\])?")
_TEST = re.compile(r"[A-Z0-9]{2,12}-[0-9A-Za-z_.]{1,20}")
_LONGEST_LINE = 200_000
_MOST_LINES = 500_000
_REMARKS = {"warning[]": ("warning", "high"), "suggestion[]": ("suggestion", "low")}


def read_lynis(file: BinaryIO, path: Path) -> tuple[ForeignReport, ...]:
    """Return the one report of the file.

    Raises:
        InputError: a line is no key=value, or the file is not that of a finished audit.
    """
    values: dict[str, str] = {}
    remarks: list[ImportedResult] = []
    for number, raw in enumerate(iter(lambda: file.readline(_LONGEST_LINE + 1), b""), 1):
        if len(raw) > _LONGEST_LINE or number > _MOST_LINES:
            raise InputError(_("it is too long for a report of Lynis"), path=path, line=number)
        line = raw.decode("utf-8", "replace").strip()
        if number == 1:
            line = line.removeprefix("\ufeff")
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or not _KEY.fullmatch(key):
            raise InputError(
                _("“{line}” is not of the form key=value").format(line=safe_text(line, 60)),
                path=path,
                line=number,
            )
        if key in _REMARKS:
            remarks.append(_remark(key, value, path, number))
        elif not key.endswith("[]"):
            values[key] = value.strip()
    return (_report(values, remarks, path),)


def _remark(key: str, value: str, path: Path, line: int) -> ImportedResult:
    fields = [part.strip() for part in value.split("|")]
    if len(fields) < 2 or not _TEST.fullmatch(fields[0]):
        # LYNIS itself may remark on its age; that is about the tool and not about the host.
        if fields[0] == "LYNIS":
            return ImportedResult("LYNIS", Said.NOT_ASSESSED, _REMARKS[key][0], title=fields[-1])
        raise InputError(
            _("{key} begins with “{word}”, which is no id of a test").format(
                key=key, word=safe_text(fields[0], 40)
            ),
            path=path,
            line=line,
        )
    word, severity = _REMARKS[key]
    detail = " ".join(part for part in fields[2:] if part not in ("", "-"))
    return ImportedResult(fields[0], Said.FAIL, word, severity, title=fields[1], detail=detail)


def _report(values: dict[str, str], remarks: list[ImportedResult], path: Path) -> ForeignReport:
    version = values.get("lynis_version", "")
    if not version:
        raise InputError(_("it names no lynis_version, so it is no report of Lynis"), path=path)
    # The file grows while Lynis runs; its end says that nothing is missing.
    moment = read_moment(values.get("report_datetime_end", ""))
    if moment is None or values.get("finish") != "true":
        raise InputError(
            _("it has no report_datetime_end and finish=true, so the audit did not reach its end"), path=path
        )
    remarked = {remark.rule for remark in remarks}
    ran = [test for test in _tests(values, "tests_executed") if test not in remarked]
    left = [test for test in _tests(values, "tests_skipped") if test not in remarked]
    return ForeignReport(
        format="lynis",
        tool="Lynis",
        tool_version=version,
        profile=values.get("test_category", "") or "all",
        target=values.get("hostname", ""),
        collected_at=moment.at,
        zone_assumed=moment.zone_assumed,
        results=(
            *remarks,
            *(ImportedResult(test, Said.NOT_ASSESSED, "executed") for test in sorted(set(ran))),
            *(ImportedResult(test, Said.NOT_ASSESSED, "skipped") for test in sorted(set(left) - set(ran))),
        ),
        score=values.get("hardening_index", ""),
    )


def _tests(values: dict[str, str], key: str) -> list[str]:
    return [test for part in values.get(key, "").split("|") if _TEST.fullmatch(test := part.strip())]
