"""Reads inventory files in INI form with the line of every word."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from khien.adapters.inventory_ranges import expand_range
from khien.application.check_inventory import HostDefinition, Place, Problem, VariableDefinition
from khien.domain.text import safe_text
from khien.i18n import _

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$")


@dataclass(slots=True)
class IniFile:
    """One file on its way through the reader; what is found collects in its lists."""

    path: Path
    hosts: list[HostDefinition] = field(default_factory=list)
    variables: list[VariableDefinition] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def read_inventory(self, text: str) -> None:
        """Read groups, hosts and variables."""
        group, kind = "ungrouped", "hosts"
        for number, raw in enumerate(text.splitlines(), start=1):
            line = raw.strip()
            if not line or line[0] in "#;":
                continue
            if line.startswith("[") and (section := _SECTION.match(line)):
                group, kind = section[1], section[2] or "hosts"
                if kind not in ("hosts", "vars", "children"):
                    self._complain(
                        number,
                        _("Expected is [{group}], [{group}:vars] or [{group}:children].").format(group=group),
                    )
            elif kind == "hosts":
                self._host_line(line, number)
            elif kind == "vars":
                self._variable_line(line, number, group)

    def _host_line(self, line: str, number: int) -> None:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            self._complain(number, _("A quotation mark is opened and not closed."))
            return
        pattern, port = _name_and_port(words[0])
        try:
            names = list(expand_range(pattern))
        except ValueError as exc:
            self._complain(number, _("The range {range} does not count upwards.").format(range=exc))
            return
        settings = [word.partition("=") for word in words[1:]]
        for name, sign, _value in settings:
            if not sign:
                self._complain(
                    number, _("Expected is variable=value, not {word}.").format(word=safe_text(name))
                )
        place = Place(self.path, number)
        for host in names:
            self.hosts.append(HostDefinition(host, place))
            given = [(name, value) for name, sign, value in settings if sign]
            given += [("ansible_port", port)] if port else []
            self.variables += [
                VariableDefinition(host, is_of_host=True, name=name, value=value, place=place)
                for name, value in given
            ]

    def _variable_line(self, line: str, number: int, group: str) -> None:
        name, sign, value = line.partition("=")
        if not sign:
            self._complain(
                number, _("Expected is variable=value, not {word}.").format(word=safe_text(line, 40))
            )
            return
        text = value.strip()
        if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            text = text[1:-1]
        self.variables.append(
            VariableDefinition(
                group, is_of_host=False, name=name.strip(), value=text, place=Place(self.path, number)
            )
        )

    def _complain(self, line: int, message: str) -> None:
        self.problems.append(Problem(Place(self.path, line), message))


def _name_and_port(word: str) -> tuple[str, str]:
    """Part web1:2222 and [2001:db8::1]:22; colons of a range or of a bare address part nothing."""
    outside = re.sub(r"\[[^\]]*\]", lambda match: "x" * len(match[0]), word)
    colon = outside.find(":") if outside.count(":") == 1 else len(word)
    name, port = word[:colon], word[colon + 1 :]
    inner = name.removeprefix("[").removesuffix("]")
    return (inner if inner.count(":") > 1 else name), port
