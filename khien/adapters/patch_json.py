"""Reads what the patch modules report, schema `khien.patch/1`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, ValidationError

from khien.domain.packages import SCHEMA, ChangeKind, PackageChange, PatchReport, RebootNeed
from khien.domain.reason import ReasonCode
from khien.domain.text import safe_text

# Far above what any host says, and low enough that no host fills the store or a screen.
_MOST_ITEMS = 20_000

_Word = Annotated[str, Field(max_length=500), AfterValidator(safe_text)]
_Sentence = Annotated[str, Field(max_length=100_000), AfterValidator(safe_text)]
_Words = Annotated[tuple[_Word, ...], Field(max_length=_MOST_ITEMS)]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Change(_Exact):
    name: Annotated[_Word, Field(min_length=1)]
    architecture: _Word
    from_version: _Word
    to_version: _Word
    origin: _Word
    kind: Literal["upgrade", "install", "remove"]


class _Reboot(_Exact):
    needed: StrictBool
    reasons: _Words
    services: _Words


class _Report(_Exact):
    schema_name: Literal["khien.patch/1"] = Field(alias="schema")
    stage: Literal["planned", "started", "finished"]
    changes: Annotated[tuple[_Change, ...], Field(max_length=_MOST_ITEMS)]
    held: _Words
    kept_back: _Words
    reboot: _Reboot | None
    transaction: _Word
    problem: Literal[""] | ReasonCode
    problem_detail: _Sentence


def read_patch_report(result: Mapping[str, object]) -> PatchReport | None:
    """Return what a host said about its updates; nothing when the result is of another schema.

    A report that breaks the schema becomes a failed transaction of its host and says what is wrong,
    so that one host's words never break a run.
    """
    if result.get("schema") != SCHEMA:
        return None
    try:
        report = _Report.model_validate(result)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return PatchReport(
            "finished",
            problem=ReasonCode.TRANSACTION_FAILED,
            problem_detail=safe_text(f"its report is unusable: {place}: {first['msg']}"),
        )
    return PatchReport(
        stage=report.stage,
        changes=tuple(_change(change) for change in report.changes),
        held=report.held,
        kept_back=report.kept_back,
        reboot=_reboot(report.reboot) if report.reboot else None,
        transaction=report.transaction,
        problem=str(report.problem),
        problem_detail=report.problem_detail,
    )


def _change(change: _Change) -> PackageChange:
    return PackageChange(
        name=change.name,
        architecture=change.architecture,
        from_version=change.from_version,
        to_version=change.to_version,
        origin=change.origin,
        kind=ChangeKind(change.kind),
    )


def _reboot(need: _Reboot) -> RebootNeed:
    return RebootNeed(need.needed, need.reasons, need.services)
