"""The JSON documents of imports; docs/json.md describes them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from khien.application.compare_imports import Comparison
from khien.cli.documents import Document, moment
from khien.domain.imported import Import, ImportedResult
from khien.domain.text import safe_text


def import_document(one: Import, now: datetime) -> Document:
    """Return one import without its rules; its texts are plain."""
    origin = one.origin
    return {
        "id": one.id,
        "host": one.host,
        "format": origin.format,
        "tool": safe_text(origin.tool),
        "tool_version": safe_text(origin.tool_version),
        "profile": safe_text(origin.profile),
        "benchmark": safe_text(origin.benchmark),
        "target": safe_text(origin.target),
        "file": safe_text(origin.file),
        "sha256": origin.sha256,
        "position": origin.position,
        "collected_at": moment(one.collected_at),
        "zone_assumed": origin.zone_assumed,
        "imported_at": moment(one.imported_at),
        "imported_by": safe_text(origin.imported_by),
        "age_seconds": int((now - one.collected_at).total_seconds()),
        "score": safe_text(one.score) or None,
        "said": {**asdict(one.counts), "applicable": one.counts.applicable},
    }


def import_with_results(one: Import, comparisons: tuple[Comparison, ...], now: datetime) -> Document:
    """Return one import with its rules and with ours beside theirs."""
    return {
        **import_document(one, now),
        "compared": [
            {
                "control": row.control_id,
                "ours": row.ours.value if row.ours else None,
                "rule": safe_text(row.result.rule),
                "theirs": row.result.said.value,
                "word": safe_text(row.result.word),
                "agreement": row.agreement.value,
            }
            for row in comparisons
        ],
        "results": [_result(result) for result in one.results],
    }


def _result(result: ImportedResult) -> Document:
    return {
        "rule": safe_text(result.rule),
        "said": result.said.value,
        "word": safe_text(result.word),
        "severity": safe_text(result.severity),
        "title": safe_text(result.title),
        "detail": safe_text(result.detail),
        "identifiers": [safe_text(one) for one in result.identifiers],
    }
