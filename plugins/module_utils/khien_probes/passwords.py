"""Probes about what PAM demands of a password and of a login."""

from __future__ import annotations

import re
from typing import Any, Iterator, NamedTuple, Optional

from .machine import Machine, Setting, number_or_text

_STACKS = ("common-auth", "common-account", "common-password", "system-auth", "password-auth")
_RULE = re.compile(r"-?(auth|account|password|session)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)")
_CREDITS = ("dcredit", "ucredit", "lcredit", "ocredit")
_FOREVER = 2147483647


class Rule(NamedTuple):
    """One line of a PAM stack."""

    place: str
    kind: str
    module: str
    arguments: list[str]


def password_quality(machine: Machine) -> Optional[dict[str, Any]]:
    """Return what pam_pwquality demands, or nothing when no password goes through it."""
    rule = next((r for r in _rules(machine) if (r.kind, r.module) == ("password", "pam_pwquality.so")), None)
    if rule is None:
        return None
    found: dict[str, Any] = {
        "minlen": 8,
        "minclass": 0,
        "dictcheck": 1,
        "enforce_for_root": False,
        **dict.fromkeys(_CREDITS, 0),
    }
    parts = machine.matching("/etc/security/pwquality.conf.d/*.conf")
    # The library reads the drop-ins before the main file, so the main file has the last word but one.
    for file in [*parts, "/etc/security/pwquality.conf"]:
        _apply(found, machine.lines(file))
    _apply(found, rule.arguments)
    demanded = [name for name in _CREDITS if _below_zero(found[name])]
    found["classes"] = max(len(demanded), found["minclass"] if isinstance(found["minclass"], int) else 0)
    return {key: found[key] for key in ("minlen", "classes", "dictcheck", "enforce_for_root")}


def password_history(machine: Machine) -> Optional[Setting]:
    """Return how many former passwords are refused, or nothing when none is remembered."""
    remembered: Optional[Setting] = None
    for rule in _rules(machine):
        if rule.kind != "password":
            continue
        if rule.module == "pam_pwhistory.so":
            found: dict[str, Setting] = {"remember": 10}
            _apply(found, machine.lines("/etc/security/pwhistory.conf"))
            _apply(found, rule.arguments)
            return found["remember"]
        if rule.module == "pam_unix.so":
            old: dict[str, Any] = {"remember": None}
            _apply(old, rule.arguments)
            remembered = old["remember"]
    return remembered


def login_failures(machine: Machine) -> Optional[dict[str, Any]]:
    """Return after how many failures and for how long pam_faillock locks, or nothing when it does not."""
    rules = [r for r in _rules(machine) if r.module == "pam_faillock.so" and r.kind == "auth"]
    if not rules:
        return None
    found: dict[str, Any] = {"deny": 3, "unlock_time": 600, "even_deny_root": False}
    _apply(found, machine.lines("/etc/security/faillock.conf"))
    for rule in rules:
        _apply(found, rule.arguments)
    if found["unlock_time"] in (0, "never"):
        found["unlock_time"] = _FOREVER  # locked until an administrator unlocks it
    return found


def pam_nullok(machine: Machine) -> Optional[list[str]]:
    """Return the places where PAM lets an empty password in, or nothing when PAM has no rules here."""
    rules = list(_rules(machine))
    if not rules:
        return None
    return [r.place for r in rules if r.module == "pam_unix.so" and "nullok" in r.arguments]


def _rules(machine: Machine) -> Iterator[Rule]:
    for stack in _STACKS:
        path = "/etc/pam.d/" + stack
        for number, line in enumerate((machine.text(path) or "").split("\n"), 1):
            rule = _RULE.match(line.split("#", 1)[0].strip())
            if rule:
                module = rule.group(3).rsplit("/", 1)[-1]
                yield Rule("%s:%d" % (path, number), rule.group(1), module, rule.group(4).split())


def _apply(found: dict[str, Any], words: list[str]) -> None:
    """Take over the settings that are asked for; a bare word is true."""
    for word in words:
        key, equals, value = (part.strip() for part in word.partition("="))
        if key in found:
            found[key] = number_or_text(value) if equals else True


def _below_zero(value: Any) -> bool:
    return isinstance(value, int) and value < 0
