"""The filter language: plain words, `field:value`, `is:state`, and `!` before any of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from khien.domain.fleet import HostStatus
from khien.domain.run import HostState
from khien.i18n import _

_TERM = re.compile(r'(?P<no>!?)(?:(?P<field>[A-Za-z]+):)?(?P<value>"[^"]*"?|[^\s"]*)')


def fold(text: str) -> str:
    """Make text comparable as people type it: no case, no accents, `đ` as `d`."""
    bare = unicodedata.normalize("NFD", text.casefold())
    return "".join(c for c in bare if not unicodedata.combining(c)).replace("đ", "d")


@dataclass(frozen=True, slots=True)
class Searchable:
    """A host with its words made comparable once."""

    status: HostStatus
    name: str
    agency: str
    words: str
    """Name, agency and system together."""
    fields: Mapping[str, str]


def searchable(status: HostStatus) -> Searchable:
    """Prepare a host for many searches."""
    host, facts = status.host, status.facts
    agency = fold(f"{host.agency} {host.agency_name}")
    system = fold(f"{facts.os_name} {facts.os_id} {facts.os_version}") if facts else ""
    name = fold(host.name)
    fields = {
        "name": name,
        "agency": agency,
        "os": system,
        "role": host.role.value,
        "site": fold(host.site),
        "level": str(host.level or ""),
        "owner": fold(host.owner),
    }
    return Searchable(status, name, agency, f"{name} {agency} {system}", fields)


@dataclass(frozen=True, slots=True)
class Moment:
    """What the present is for a filter."""

    now: datetime
    stale_after: timedelta


Test = Callable[[HostStatus, Moment], bool]


def is_stale(status: HostStatus, at: Moment) -> bool:
    """Whether the last verification is too old to rely on."""
    return status.verified_at is not None and at.now - status.verified_at > at.stale_after


def is_compliant(status: HostStatus, at: Moment) -> bool:
    """Whether every control that applies passed, not too long ago."""
    counts = status.counts
    return bool(counts and counts.applicable and counts.passed == counts.applicable) and not is_stale(
        status, at
    )


STATES: Mapping[str, Test] = {
    "failed": lambda s, _at: bool(s.counts and s.counts.failed),
    "compliant": is_compliant,
    "stale": is_stale,
    "unverified": lambda s, _at: s.counts is None,
    "updates": lambda s, _at: bool(s.pending_security),
    "reboot": lambda s, _at: bool(s.reboot_needed),
    "unreachable": lambda s, _at: s.last_state is HostState.UNREACHABLE,
    "broken": lambda s, _at: s.last_state in (HostState.FAILED, HostState.UNKNOWN),
    "gone": lambda s, _at: not s.in_inventory,
}
"""The words after `is:`; a beginning of one is enough."""
FIELDS = ("name", "agency", "os", "role", "site", "level", "owner")


@dataclass(frozen=True, slots=True)
class Query:
    """A filter: all its tests must hold."""

    tests: tuple[Callable[[Searchable, Moment], bool], ...] = ()
    trouble: str = ""
    """What of it was not understood; such a filter matches nothing."""

    def matches(self, host: Searchable, at: Moment) -> bool:
        """Whether the host passes."""
        return all(test(host, at) for test in self.tests)


def parse_query(text: str) -> Query:
    """Read a filter as it is typed; unfinished terms do no harm."""
    tests: list[Callable[[Searchable, Moment], bool]] = []
    for match in _TERM.finditer(text):
        value = fold(match["value"].strip('"'))
        if not value:
            continue
        try:
            test = _test(match["field"], value, match["value"])
        except LookupError as unknown:
            return Query((lambda _host, _at: False,), str(unknown.args[0]))
        tests.append(_negated(test) if match["no"] else test)
    return Query(tuple(tests))


def _negated(test: Callable[[Searchable, Moment], bool]) -> Callable[[Searchable, Moment], bool]:
    return lambda host, at: not test(host, at)


def _test(field: str | None, value: str, raw: str) -> Callable[[Searchable, Moment], bool]:
    if field is None:
        return lambda host, _at: value in host.words
    field = field.lower()
    if field == "is":
        names = [name for name in STATES if name.startswith(value)]
        if not names:
            words = _("“is:{word}” is not known; known are {all}.")
            raise LookupError(words.format(word=raw, all=", ".join(STATES)))
        state = STATES[names[0]]
        return lambda host, at: state(host.status, at)
    if field in FIELDS:
        return lambda host, _at: value in host.fields[field]
    whole = f"{field}:{value}"  # a name may hold a colon
    return lambda host, _at: whole in host.words
