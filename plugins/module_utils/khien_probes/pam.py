"""PAM's stacks as PAM puts them together: includes followed, substacks opened, in the order of asking."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Optional

from .machine import Machine

STACKS = ("account", "auth", "password", "session")
# Through these services people come in or become somebody else.
LOGIN_SERVICES = ("login", "sshd", "su", "sudo")
# Where a distribution keeps the rules that its services share, should none of the services be there.
_SHARED = ("common-%s", "system-auth", "password-auth")
_INCLUDE = re.compile(r"@include\s+(\S+)")
_RULE = re.compile(r"-?(auth|account|password|session)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)", re.IGNORECASE)
_ARGUMENT = re.compile(r"\[((?:\\\]|[^\]])*)\]|(\S+)")
_DEEPEST_INCLUDE = 32


class Rule(NamedTuple):
    """One line of a PAM stack."""

    place: str
    """File and line."""
    kind: str
    """auth, account, password or session."""
    control: str
    """What PAM does with the module's answer."""
    module: str
    """The module's file name, without its folder."""
    arguments: list[str]

    def value(self, name: str) -> Optional[str]:
        """Return what an argument is set to, an empty text for a bare word, or None without it."""
        for argument in self.arguments:
            key, _equals, value = argument.partition("=")
            if key == name:
                return value
        return None


def pam_stack(machine: Machine, service: str, stack: str) -> Optional[list[dict[str, Any]]]:
    """Return the modules a service asks, in their order, or nothing when PAM does not know the service."""
    rules = stack_of(machine, service, stack)
    if not rules:
        return None
    return [{"module": r.module, "control": r.control, "arguments": r.arguments} for r in rules]


def stack_of(machine: Machine, service: str, stack: str) -> list[Rule]:
    """Return the rules of one stack of a service, with everything it includes."""
    return machine.once(("pam", service, stack), lambda: _rules(machine, _file(machine, service), stack, 0))


def stacks(machine: Machine, services: tuple[str, ...], stack: str) -> dict[str, list[Rule]]:
    """Return the stacks of those services that exist; without any, the rules that services would share."""
    found = {name: stack_of(machine, name, stack) for name in services}
    found = {name: rules for name, rules in found.items() if rules}
    if found:
        return found
    shared = [name % stack if "%" in name else name for name in _SHARED]
    found = {name: stack_of(machine, name, stack) for name in shared}
    return {name: rules for name, rules in found.items() if rules}


def _file(machine: Machine, service: str) -> str:
    """Return where a service's rules lie; an administrator's file hides the distribution's."""
    if service.startswith("/"):
        return service
    for folder in ("/etc/pam.d/", "/usr/lib/pam.d/"):
        if machine.exists(folder + service):
            return folder + service
    return "/etc/pam.d/" + service


def _rules(machine: Machine, path: str, stack: str, depth: int) -> list[Rule]:
    found: list[Rule] = []
    if depth > _DEEPEST_INCLUDE:
        return found
    text = (machine.text(path) or "").replace("\\\n", " ")
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.split("#", 1)[0].strip()
        include = _INCLUDE.match(bare)
        if include:
            found += _rules(machine, _file(machine, include.group(1)), stack, depth + 1)
            continue
        rule = _RULE.match(bare)
        if not rule or rule.group(1).lower() != stack:
            continue
        control, module = rule.group(2).lower(), rule.group(3)
        if control in ("include", "substack"):
            found += _rules(machine, _file(machine, module), stack, depth + 1)
            continue
        arguments = [bracketed or word for bracketed, word in _ARGUMENT.findall(rule.group(4))]
        place = "%s:%d" % (path, number)
        found.append(Rule(place, stack, control, module.rsplit("/", 1)[-1], arguments))
    return found
