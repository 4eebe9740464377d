"""Probes about what PAM demands of a password and of a login."""

from __future__ import annotations

from typing import Any, Iterable, Optional

from .accounts import login_defs
from .machine import Machine, Setting, number_or_text
from .pam import LOGIN_SERVICES, Rule, stacks

_PASSWORD_SERVICES = ("passwd",)
_CREDITS = ("dcredit", "ucredit", "lcredit", "ocredit")
_QUALITY = {
    "minlen": 8,
    "minclass": 0,
    "dictcheck": 1,
    "usercheck": 1,
    "difok": 1,
    "maxrepeat": 0,
    "maxsequence": 0,
    "enforcing": 1,
    "enforce_for_root": False,
    **dict.fromkeys(_CREDITS, 0),
}
_HASHES = ("yescrypt", "gost_yescrypt", "blowfish", "sha512", "sha256", "bigcrypt", "md5")
_FOREVER = 2147483647
_MICROSECONDS = 1_000_000


def password_quality(machine: Machine) -> Optional[dict[str, Any]]:
    """Return what pam_pwquality demands, or nothing when no new password goes through it."""
    rule = _first(machine, "pam_pwquality.so")
    if rule is None:
        return None
    found: dict[str, Any] = dict(_QUALITY)
    parts = machine.matching("/etc/security/pwquality.conf.d/*.conf")
    # The library reads the drop-ins before the main file, so the main file has the last word but one.
    for file in [*parts, "/etc/security/pwquality.conf"]:
        _apply(found, machine.lines(file))
    _apply(found, rule.arguments)
    demanded = [name for name in _CREDITS if _below_zero(found[name])]
    found["classes"] = max(len(demanded), found["minclass"] if isinstance(found["minclass"], int) else 0)
    return {key: value for key, value in found.items() if key not in (*_CREDITS, "minclass")}


def password_history(machine: Machine) -> Optional[dict[str, Any]]:
    """Return how many former passwords are refused, and to whom, or nothing when none is remembered."""
    rule = _first(machine, "pam_pwhistory.so")
    if rule is not None:
        found: dict[str, Any] = {"remember": 10, "enforce_for_root": False, "use_authtok": False}
        _apply(found, machine.lines("/etc/security/pwhistory.conf"))
        _apply(found, rule.arguments)
        return found
    old: dict[str, Any] = {"remember": None, "enforce_for_root": False, "use_authtok": False}
    older = _first(machine, "pam_unix.so")
    _apply(old, older.arguments if older else [])
    return old if old["remember"] is not None else None


def password_hash(machine: Machine) -> Optional[dict[str, Any]]:
    """Return with which method the next password will be stored, and who says so."""
    rule = _first(machine, "pam_unix.so")
    if rule is None:
        return None
    named = [word for word in rule.arguments if word in _HASHES]
    if named:
        return {"method": named[-1], "from": rule.place}
    said = login_defs(machine, "ENCRYPT_METHOD")
    return {"method": str(said or "des").lower(), "from": "/etc/login.defs"}


def login_failures(machine: Machine) -> Optional[dict[str, Any]]:
    """Return after how many failures and for how long pam_faillock locks, or nothing when it never does.

    `unguarded` names the services that count no failures: one open door is enough for guessing.
    """
    found: dict[str, Any] = {"deny": 3, "unlock_time": 600, "fail_interval": 900, "even_deny_root": False}
    entries = stacks(machine, LOGIN_SERVICES, "auth")
    guarded = {name: rules for name, rules in entries.items() if _counts(rules)}
    if not guarded:
        return None
    _apply(found, machine.lines("/etc/security/faillock.conf"))
    for rules in guarded.values():
        for rule in rules:
            if rule.module == "pam_faillock.so":
                _apply(found, rule.arguments)
    if found["unlock_time"] in (0, "never"):
        found["unlock_time"] = _FOREVER  # locked until an administrator unlocks it
    found["unguarded"] = sorted(set(entries) - set(guarded))
    return found


def login_delay(machine: Machine) -> int:
    """Return the seconds that pass after a failed login; the shortest of all services counts."""
    fallback = login_defs(machine, "FAIL_DELAY")
    general = fallback if isinstance(fallback, int) else 0
    waits = []
    for rules in stacks(machine, ("login", "sshd"), "auth").values():
        asked = [r for r in rules if r.module == "pam_faildelay.so"]
        waits.append(max([_seconds(r, general) for r in asked], default=0))
    return min(waits, default=0)


def pam_nullok(machine: Machine) -> Optional[list[str]]:
    """Return the places where PAM lets an empty password in, or nothing when PAM has no rules here."""
    places: set[str] = set()
    seen = False
    for services, stack in ((LOGIN_SERVICES, "auth"), (_PASSWORD_SERVICES, "password")):
        for rules in stacks(machine, services, stack).values():
            seen = True
            places.update(r.place for r in rules if r.module == "pam_unix.so" and "nullok" in r.arguments)
    return sorted(places) if seen else None


def umask_in_force(machine: Machine) -> Optional[list[str]]:
    """Return the services whose sessions do not get the umask of login.defs, or nothing without sessions."""
    sessions = stacks(machine, ("login", "sshd"), "session")
    if not sessions:
        return None
    return sorted(n for n, rules in sessions.items() if all(r.module != "pam_umask.so" for r in rules))


def _first(machine: Machine, module: str) -> Optional[Rule]:
    """Return the first rule for new passwords that asks this module."""
    for rules in stacks(machine, _PASSWORD_SERVICES, "password").values():
        for rule in rules:
            if rule.module == module:
                return rule
    return None


def _counts(rules: list[Rule]) -> bool:
    """Whether failures are counted: faillock looks before a password is asked and again when it was wrong."""
    words = [word for r in rules if r.module == "pam_faillock.so" for word in r.arguments]
    return "preauth" in words and "authfail" in words


def _seconds(rule: Rule, general: int) -> int:
    delay = rule.value("delay")
    return int(delay) // _MICROSECONDS if delay and delay.isdigit() else general


def _apply(found: dict[str, Any], words: Iterable[str]) -> None:
    """Take over the settings that are asked for; a bare word is true."""
    for word in words:
        key, equals, value = (part.strip() for part in word.partition("="))
        if key in found:
            setting: Setting = number_or_text(value)
            found[key] = setting if equals else True


def _below_zero(value: Any) -> bool:
    return isinstance(value, int) and value < 0
