"""InSpec's JSON (`inspec exec --reporter json`; cinc-auditor writes the same)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from khien.adapters.foreign.moments import Moment, read_moment
from khien.domain.imported import ForeignReport, ImportedResult, Said
from khien.domain.text import safe_text
from khien.errors import InputError
from khien.i18n import _

_LARGEST = 256 * 1024 * 1024
_ID_TAGS = ("stig_id", "gid", "rid", "ssg", "cce")


class _Open(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Result(_Open):
    status: str
    start_time: str = ""
    code_desc: str = ""
    message: str = ""
    skip_message: str = ""
    exception: str | None = None


class _Waiver(_Open):
    justification: str | None = None
    message: str | None = None
    skipped_due_to_waiver: bool | str | None = None


class _Control(_Open):
    id: str
    title: str | None = None
    impact: float = 0.5
    tags: dict[str, Any] = Field(default_factory=dict)
    results: list[_Result] = Field(default_factory=list)
    waiver_data: _Waiver | None = None


class _Profile(_Open):
    name: str
    version: str | None = None
    controls: list[_Control] = Field(default_factory=list)


class _Platform(_Open):
    name: str = ""
    release: str = ""
    target_id: str | None = None


class _Document(_Open):
    platform: _Platform = Field(default_factory=_Platform)
    profiles: list[_Profile] = Field(min_length=1)
    version: str


def read_inspec(file: BinaryIO, path: Path) -> tuple[ForeignReport, ...]:
    """Return one report for each profile that judged something.

    Raises:
        InputError: it is no such JSON.
    """
    document = _document(file, path)
    reports = tuple(
        _report(document, profile, number, path)
        for number, profile in enumerate(document.profiles)
        # A profile that only lends its controls to another one has none of its own with results.
        if any(control.results or control.waiver_data for control in profile.controls)
    )
    if not reports:
        raise InputError(_("no control in it has results"), path=path)
    return reports


def _document(file: BinaryIO, path: Path) -> _Document:
    if os.fstat(file.fileno()).st_size > _LARGEST:
        raise InputError(_("it is too large to be read"), path=path)
    data = file.read()
    try:
        return _Document.model_validate(json.loads(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise InputError(_("it is not UTF-8"), path=path) from error
    except json.JSONDecodeError as error:
        raise InputError(
            _("this is not well-formed JSON: {problem}").format(problem=error.msg),
            path=path,
            line=error.lineno,
        ) from error
    except RecursionError as error:
        raise InputError(_("it is nested too deeply to be read"), path=path) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "$"
        raise InputError(
            _("{place}: {problem}").format(place=safe_text(place, 120), problem=first["msg"]), path=path
        ) from error


def _report(document: _Document, profile: _Profile, number: int, path: Path) -> ForeignReport:
    moments = sorted(_moments(profile))
    if not moments:
        raise InputError(
            _("profiles.{number}: no result says a start_time that is a moment").format(number=number),
            path=path,
        )
    at = moments[-1]
    return ForeignReport(
        format="inspec",
        tool="InSpec",
        tool_version=document.version,
        profile=profile.name,
        benchmark=" ".join(part for part in (profile.name, profile.version) if part),
        # InSpec names no machine, only a number it made for it.
        target="",
        collected_at=at.at,
        zone_assumed=at.zone_assumed,
        results=tuple(
            _result(control, f"profiles.{number}.controls.{n}", path)
            for n, control in enumerate(profile.controls)
        ),
    )


def _moments(profile: _Profile) -> Iterator[Moment]:
    for control in profile.controls:
        for result in control.results:
            moment = read_moment(result.start_time) if result.start_time else None
            if moment is not None:
                yield moment


def _result(control: _Control, place: str, path: Path) -> ImportedResult:
    for result in control.results:
        if result.status not in ("passed", "failed", "skipped"):
            raise InputError(
                _("{place}: the status is “{word}”; passed, failed or skipped was expected").format(
                    place=place, word=safe_text(result.status, 40)
                ),
                path=path,
            )
    said, word = _judge(control)
    told = [r for r in control.results if r.status != "passed"]
    details = [text for r in told if (text := r.message or r.skip_message or r.code_desc)]
    if said is Said.WAIVED and control.waiver_data and control.waiver_data.justification:
        details.insert(0, control.waiver_data.justification)
    return ImportedResult(
        rule=control.id,
        said=said,
        word=word,
        severity=_severity(control.impact),
        title=control.title or "",
        detail=" ".join(details)[:4000],
        identifiers=tuple(_identifiers(control.tags)),
    )


def _judge(control: _Control) -> tuple[Said, str]:
    statuses = {result.status for result in control.results}
    if any(result.exception for result in control.results):
        # The test itself broke; what it would have found is not known.
        return Said.UNKNOWN, "error"
    waiver = control.waiver_data
    # InSpec says so in a message when a waiver has run out; the control then counts again.
    waived = waiver is not None and bool(waiver.justification) and "expired" not in (waiver.message or "")
    if waived and statuses != {"passed"}:
        return Said.WAIVED, "waived"
    if "failed" in statuses:
        return Said.FAIL, "failed"
    if not statuses or "skipped" in statuses:
        # Skipped is no pass, whatever the other results of the control say.
        return Said.UNKNOWN, "skipped" if statuses else "no results"
    return Said.PASS, "passed"


def _severity(impact: float) -> str:
    for bound, word in ((0.7, "high"), (0.4, "medium"), (0.01, "low")):
        if impact >= bound:
            return word
    return "none"


def _identifiers(tags: Mapping[str, Any]) -> Iterator[str]:
    for tag in _ID_TAGS:
        value = tags.get(tag)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one:
                yield one
