"""Reads what the hardening modules report, schemas `khien.harden/1` and `khien.undo/1`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from khien.domain.hardening import (
    HARDEN_SCHEMA,
    UNDO_SCHEMA,
    Change,
    GuardReport,
    GuardState,
    HardenReport,
    RefusedThing,
    RestoredThing,
    SkippedChange,
    Stage,
    UndoReport,
)
from khien.domain.reason import ReasonCode
from khien.domain.text import safe_text

# Far above what any host says, and low enough that no host fills the store or a screen.
_MOST_ITEMS = 5_000

_Name = Annotated[str, Field(max_length=200), AfterValidator(safe_text)]
_Word = Annotated[str, Field(max_length=4_000), AfterValidator(safe_text)]
_Sentence = Annotated[str, Field(max_length=100_000), AfterValidator(safe_text)]
_Problem = Literal[""] | ReasonCode


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Change(_Exact):
    control: _Name
    kind: _Name
    thing: _Word
    before: _Word
    after: _Word


class _Skip(_Exact):
    control: _Name
    kind: _Name
    thing: _Word
    why: ReasonCode
    detail: _Word


class _Guard(_Exact):
    state: GuardState
    seconds: Annotated[float, Field(ge=0, le=86_400)]
    detail: _Word
    id: _Name = ""


class _Harden(_Exact):
    schema_name: Literal["khien.harden/1"] = Field(alias="schema")
    area: Annotated[_Name, Field(min_length=1)]
    run: _Name
    stage: Stage
    changes: Annotated[tuple[_Change, ...], Field(max_length=_MOST_ITEMS)]
    skipped: Annotated[tuple[_Skip, ...], Field(max_length=_MOST_ITEMS)]
    guard: _Guard
    problem: _Problem
    problem_detail: _Sentence


class _Restored(_Exact):
    kind: _Name
    thing: _Word
    before: _Word
    after: _Word


class _Refused(_Exact):
    kind: _Name
    thing: _Word
    why: ReasonCode
    detail: _Word


class _Undo(_Exact):
    schema_name: Literal["khien.undo/1"] = Field(alias="schema")
    run: _Name
    of: _Name = ""
    stage: Stage
    restored: Annotated[tuple[_Restored, ...], Field(max_length=_MOST_ITEMS)]
    refused: Annotated[tuple[_Refused, ...], Field(max_length=_MOST_ITEMS)]
    guard: _Guard
    problem: _Problem
    problem_detail: _Sentence


def read_harden_report(result: Mapping[str, object]) -> HardenReport | None:
    """Return what a host said about one area; nothing when the result is of another schema.

    A report that breaks the schema becomes a problem of its host and says what is wrong, so that one host's
    words never break a run.
    """
    if result.get("schema") != HARDEN_SCHEMA:
        return None
    try:
        report = _Harden.model_validate(result)
    except ValidationError as error:
        area = safe_text(result.get("area", ""), 200) or "?"
        return HardenReport(
            area, Stage.APPLIED, problem=ReasonCode.RESULT_UNUSABLE, problem_detail=_first(error)
        )
    return HardenReport(
        area=report.area,
        stage=report.stage,
        changes=tuple(Change(c.control, c.kind, c.thing, c.before, c.after) for c in report.changes),
        skipped=tuple(
            SkippedChange(s.control, s.kind, s.thing, str(s.why), s.detail) for s in report.skipped
        ),
        guard=_guard(report.guard),
        problem=str(report.problem),
        problem_detail=report.problem_detail,
    )


def read_undo_report(result: Mapping[str, object]) -> UndoReport | None:
    """Return what a host said about an undo; nothing when the result is of another schema."""
    if result.get("schema") != UNDO_SCHEMA:
        return None
    try:
        report = _Undo.model_validate(result)
    except ValidationError as error:
        return UndoReport(Stage.APPLIED, problem=ReasonCode.RESULT_UNUSABLE, problem_detail=_first(error))
    return UndoReport(
        stage=report.stage,
        restored=tuple(RestoredThing(r.kind, r.thing, r.before, r.after) for r in report.restored),
        refused=tuple(RefusedThing(r.kind, r.thing, str(r.why), r.detail) for r in report.refused),
        guard=_guard(report.guard),
        problem=str(report.problem),
        problem_detail=report.problem_detail,
    )


def _guard(guard: _Guard) -> GuardReport:
    return GuardReport(guard.state, guard.seconds, guard.detail)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return safe_text(f"{place}: {first['msg']}")
