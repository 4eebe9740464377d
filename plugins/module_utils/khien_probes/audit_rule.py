"""Rules of the kernel's audit as values: the same rule is the same value, whichever way it is written."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import Iterable, Optional

_ALL = "all"
_ARCHITECTURES = ("b64", "b32")
_FIELD = re.compile(r"([a-z_0-9]+)(!=|>=|<=|&=|=|>|<|&)(.*)")
_UNSET = ("-1", "4294967295", "unset")
_PLACES = ("path", "dir")
_LINKS = (("/var/run/", "/run/"), ("/sbin/", "/usr/sbin/"), ("/bin/", "/usr/bin/"))

Filter = tuple[str, str, str]


@dataclass(frozen=True)
class AuditRule:
    """One rule: what it records, and the conditions that narrow it."""

    text: str
    records: bool
    """False for rules that keep events out of the log."""
    list_name: str
    architectures: frozenset[str]
    calls: frozenset[str]
    """Names of system calls, or only "all"."""
    place: str
    """The file or folder it watches, or nothing."""
    is_tree: bool
    """Whether it watches all below the folder, too."""
    access: frozenset[str]
    """r, w, x, a of the place; nothing: any."""
    filters: frozenset[Filter]

    def atoms(self) -> list[tuple[str, str, str]]:
        """Return architecture, system call and access of everything it records."""
        return [
            (architecture, call, access)
            for architecture in sorted(self.architectures)
            for call in sorted(self.calls)
            for access in sorted(self.access) or [""]
        ]


def read_rules(text: str) -> list[AuditRule]:
    """Return the rules of a rules file or of what `auditctl -l` prints; all else in it is passed over."""
    found = (read_rule(line) for line in text.split("\n"))
    return [rule for rule in found if rule is not None]


def read_rule(line: str) -> Optional[AuditRule]:
    """Return the rule in a line, or None when it holds none."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return None
    if len(words) < 2 or words[0] not in ("-w", "-a", "-A"):
        return None
    draft = _Draft()
    for option, value in zip(words[::2], words[1::2]):
        draft.take(option, value)
    return draft.rule(line.strip())


def read_demand(text: str) -> Optional[AuditRule]:
    """Return the rule that a control demands; where it names no architecture, it means all of them."""
    rule = read_rule(text)
    if rule is None or "arch=" in text:
        return rule
    return replace(rule, architectures=frozenset(_ARCHITECTURES))


def covered(wanted: AuditRule, rules: Iterable[AuditRule]) -> bool:
    """Whether all that a rule would record is recorded, by one rule or by several together."""
    inside = [rule for rule in rules if rule.records and rule.list_name == "exit" and _is_wider(rule, wanted)]
    return all(any(_records(rule, atom) for rule in inside) for atom in wanted.atoms())


def is_silent(rules: Iterable[AuditRule]) -> bool:
    """Whether a rule keeps every task out of the audit, so that no other rule has any effect."""
    return any(not rule.records and rule.list_name == "task" and not rule.filters for rule in rules)


class _Draft:
    """Collects the options of one rule."""

    def __init__(self) -> None:
        self.records = True
        self.list_name = "exit"
        self.architectures: set[str] = set()
        self.calls: set[str] = set()
        self.place = ""
        self.is_tree = False
        self.access: set[str] = set()
        self.filters: set[Filter] = set()

    def take(self, option: str, value: str) -> None:
        if option == "-w":
            self.place, self.is_tree = _plain_place(value), True
            self.access = self.access or set("rwxa")
        elif option == "-p":
            self.access = set(value)
        elif option in ("-a", "-A"):
            words = value.split(",")
            self.records = "never" not in words
            self.list_name = next((word for word in words if word not in ("always", "never")), "exit")
        elif option == "-S":
            self.calls.update(value.split(","))
        elif option == "-C":
            left, operator, right = _field(value)
            self.filters.add((min(left, right), operator, max(left, right)))
        elif option == "-F":
            self._take_field(*_field(value))

    def _take_field(self, name: str, operator: str, value: str) -> None:
        if name == "arch" and operator == "=":
            self.architectures.add({"x86_64": "b64", "i386": "b32"}.get(value, value))
        elif name in _PLACES and operator == "=":
            self.place, self.is_tree = _plain_place(value), name == "dir"
        elif name == "perm":
            self.access = set(value)
        elif name != "key":
            value = "unset" if name.endswith("uid") and value in _UNSET else value
            value = str(int(value, 16)) if value.startswith("0x") else value
            self.filters.add((name, operator, value))

    def rule(self, text: str) -> AuditRule:
        calls = self.calls - {_ALL} or {_ALL}
        # Calls have other numbers on other architectures: where none is named, the native one is meant.
        named = calls == {_ALL} or self.architectures
        architectures = self.architectures or set(_ARCHITECTURES if named else _ARCHITECTURES[:1])
        return AuditRule(
            text=text,
            records=self.records,
            list_name=self.list_name,
            architectures=frozenset(architectures),
            calls=frozenset(calls),
            place=self.place,
            is_tree=self.is_tree,
            access=frozenset(self.access),
            filters=frozenset(self.filters),
        )


def _field(text: str) -> Filter:
    match = _FIELD.match(text)
    return (match.group(1), match.group(2), match.group(3)) if match else (text, "", "")


def _plain_place(path: str) -> str:
    """Return the one name of a place: folders without a slash at the end, links of every system resolved."""
    for link, target in _LINKS:
        if path.startswith(link):
            path = target + path[len(link) :]
    return path.rstrip("/") or "/"


def _records(rule: AuditRule, atom: tuple[str, str, str]) -> bool:
    architecture, call, access = atom
    return (
        architecture in rule.architectures
        and (_ALL in rule.calls or call in rule.calls)
        and (not rule.access or access in rule.access)
    )


def _is_wider(rule: AuditRule, wanted: AuditRule) -> bool:
    """Whether a rule is narrowed by nothing that the wanted one is not narrowed by."""
    above = rule.is_tree and wanted.place.startswith(rule.place + "/")
    if rule.place and rule.place != wanted.place and not above:
        return False
    return all(_is_implied(one, wanted.filters) for one in rule.filters)


def _is_implied(one: Filter, filters: frozenset[Filter]) -> bool:
    name, operator, value = one
    if one in filters:
        return True
    if name == "success" and (operator, value) == ("=", "0"):
        return any(field == "exit" and text.startswith("-E") for field, _equals, text in filters)
    if operator == ">=" and value.isdigit():
        bounds = [text for field, sign, text in filters if (field, sign) == (name, ">=") and text.isdigit()]
        return any(int(value) <= int(bound) for bound in bounds)
    return False
