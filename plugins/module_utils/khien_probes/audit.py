"""Probes about the kernel's audit: rules in force and kept, its state, the settings of its service."""

from __future__ import annotations

import re
from typing import Optional

from .audit_rule import AuditRule, covered, is_silent, read_demand, read_rules
from .machine import Machine, NoAnswerError, Setting, number_or_text

_CONFIG = "/etc/audit/auditd.conf"
_UNLIMITED = 1 << 20


def audit_rules(machine: Machine, rules: list[str]) -> Optional[dict[str, list[str]]]:
    """Return which of these rules are not in force and which are not loaded at the next start.

    What a rule watches or runs must exist: what does not exist needs no rule. Without audit tools: nothing.
    """
    if machine.program("auditctl") is None:
        return None
    wanted = [rule for rule in map(read_demand, rules) if rule is not None and _matters(machine, rule)]
    return {
        "not_loaded": _missing(wanted, machine.once("audit rules loaded", lambda: _loaded(machine))),
        "not_kept": _missing(wanted, machine.once("audit rules kept", lambda: _kept(machine))),
    }


def audit_status(machine: Machine) -> Optional[dict[str, Setting]]:
    """Return the state of the kernel's audit, or nothing without audit tools."""
    if machine.program("auditctl") is None:
        return None
    output = _ask(machine, "-s")
    known = ("enabled", "failure", "pid", "backlog_limit", "lost", "loginuid_immutable")
    pairs = re.findall(r"\b([a-z_]+)[ =]([0-9]+)\b", output)
    found = {word: number_or_text(value) for word, value in pairs if word in known}
    if "enabled" not in found:
        raise NoAnswerError("auditctl -s: %s" % output.strip()[-300:])
    return found


def auditd_option(machine: Machine, key: str) -> Optional[Setting]:
    """Return a setting of the audit service in lower case, or nothing when it is not set."""
    value = _options(machine).get(key.lower())
    return None if value is None else number_or_text(value)


def audit_log_room(machine: Machine) -> Optional[int]:
    """Return how many mebibytes of audit log are kept before the oldest go; nothing without auditd."""
    options = _options(machine)
    if not options:
        return None
    action = options.get("max_log_file_action", "rotate")
    if action in ("keep_logs", "ignore"):
        return _UNLIMITED
    size, number = options.get("max_log_file", "8"), options.get("num_logs", "5")
    if not (size.isdigit() and number.isdigit()):
        raise NoAnswerError("auditd.conf: %s × %s" % (size, number))
    return int(size) * max(int(number), 1) if action == "rotate" else 0


def boot_argument(machine: Machine, name: str) -> str:
    """Return the value the running kernel was started with, or an empty text."""
    value = ""
    for word in (machine.text("/proc/cmdline") or "").split():
        key, _equals, text = word.partition("=")
        if key == name:
            value = text or "1"
    return value


def _missing(wanted: list[AuditRule], rules: list[AuditRule]) -> list[str]:
    if is_silent(rules):
        return [rule.text for rule in wanted]
    return [rule.text for rule in wanted if not covered(rule, rules)]


def _matters(machine: Machine, rule: AuditRule) -> bool:
    return not rule.place or machine.exists(rule.place)


def _loaded(machine: Machine) -> list[AuditRule]:
    return read_rules(_ask(machine, "-l"))


def _kept(machine: Machine) -> list[AuditRule]:
    """Return the rules that the next start loads: those of rules.d, or without any those of the one file."""
    files = machine.matching("/etc/audit/rules.d/*.rules") or ["/etc/audit/audit.rules"]
    return [rule for file in files for rule in read_rules(machine.text(file) or "")]


def _ask(machine: Machine, option: str) -> str:
    if not machine.privileged:
        raise PermissionError("auditctl asks the kernel as root")
    program = machine.program("auditctl")
    code, output = machine.run([str(program), option])
    if code != 0:
        raise NoAnswerError("auditctl %s: %s" % (option, output.strip()[-300:]))
    return output


def _options(machine: Machine) -> dict[str, str]:
    pairs = (line.partition("=") for line in machine.lines(_CONFIG))
    return {key.strip().lower(): value.strip().lower() for key, equals, value in pairs if equals}
