"""The mappings of compliance/mappings/; strict, errors name file and line."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from khien.adapters.yaml_places import Place, read_yaml
from khien.domain.baseline import Confidence
from khien.domain.host import HostRole
from khien.domain.mapping import LegalMapping, MappingGroup
from khien.domain.text import Bilingual

SCHEMA = "khien.mapping/1"


def load_mappings(folder: Path) -> tuple[LegalMapping, ...]:
    """Read every mapping of a folder, each named after its file; all or none.

    Raises:
        InputError: a file is unusable; file and line are named.
    """
    return tuple(load_mapping(path) for path in sorted(folder.glob("*.yml")))


def load_mapping(path: Path) -> LegalMapping:
    """Read one mapping."""
    top = read_yaml(path).mapping(
        ("schema", "document", "title", "valid_from", "valid_to", "source", "confidence", "groups")
    )
    top["schema"].one_of((SCHEMA,))
    begins, ends = _day(top["valid_from"]), _day(top["valid_to"])
    if begins is not None and ends is not None and ends < begins:
        raise top["valid_to"].error(f"valid_to must not be before valid_from, {begins}")
    confidence = _confidence(top["confidence"])
    source = top["source"].text()
    groups = top["groups"].mapping((), top["groups"].keys())
    if not groups:
        raise top["groups"].error("expected at least one group")
    return LegalMapping(
        id=path.stem,
        document=top["document"].text(),
        title=_bilingual(top["title"]),
        valid_from=begins,
        valid_to=ends,
        source=source,
        confidence=confidence,
        groups=tuple(_group(name, place, source, confidence) for name, place in groups.items()),
    )


def _group(name: str, place: Place, source: str, confidence: Confidence) -> MappingGroup:
    entries = place.mapping(("title", "profiles"), ("source", "confidence", "follows"))
    profiles = frozenset(
        HostRole(entry.one_of([role.value for role in HostRole])) for entry in entries["profiles"].items()
    )
    if not profiles:
        raise entries["profiles"].error(f"expected some of: {', '.join(HostRole)}")
    follows = entries["follows"].mapping((), entries["follows"].keys()) if "follows" in entries else {}
    return MappingGroup(
        id=name,
        title=_bilingual(entries["title"]),
        profiles=profiles,
        source=entries["source"].text() if "source" in entries else source,
        confidence=_confidence(entries["confidence"]) if "confidence" in entries else confidence,
        follows={document: groups.texts() for document, groups in follows.items()},
    )


def _confidence(place: Place) -> Confidence:
    return Confidence(place.one_of([word.value for word in Confidence]))


def _day(place: Place) -> date | None:
    value = place.value()
    if value is None:
        return None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise place.error(f"expected a day as YYYY-MM-DD or null, found {value!r}")
    return value


def _bilingual(place: Place) -> Bilingual:
    entries = place.mapping(("en", "vi"))
    return Bilingual(en=entries["en"].text(), vi=entries["vi"].text())
