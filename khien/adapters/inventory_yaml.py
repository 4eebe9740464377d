"""Reads inventory and variable files in YAML with the line of every word."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from khien.adapters.inventory_ranges import expand_range
from khien.application.check_inventory import HostDefinition, Place, Problem, VariableDefinition
from khien.domain.text import safe_text
from khien.i18n import _

_GROUP_KEYS = ("hosts", "vars", "children")
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"


@dataclass(slots=True)
class YamlFile:
    """One file on its way through the reader; what is found collects in its lists."""

    path: Path
    hosts: list[HostDefinition] = field(default_factory=list)
    variables: list[VariableDefinition] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def read_inventory(self, text: str) -> None:
        """Read groups, hosts and variables."""
        for name, node in self._mapping(self._root(text), _("groups by name")):
            self._group(name.value, node)

    def read_variables(self, text: str, owner: str, *, is_of_host: bool) -> None:
        """Read a file of group_vars or host_vars."""
        root = self._root(text)
        if root is not None:
            self._variables(root, owner, is_of_host=is_of_host)

    def top_keys(self, text: str) -> frozenset[str]:
        """Return the words of its outermost mapping; none when it is no such YAML."""
        root = self._root(text, silently=True)
        return frozenset(
            str(key.value) for key, _value in (root.value if isinstance(root, yaml.MappingNode) else ())
        )

    def _root(self, text: str, *, silently: bool = False) -> yaml.Node | None:
        try:
            root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as exc:
            mark = exc.problem_mark or exc.context_mark
            if not silently:
                reason = safe_text(exc.problem or exc.context or "")
                self._complain(
                    mark.line + 1 if mark else 1, _("This is not YAML: {reason}.").format(reason=reason)
                )
            return None
        except yaml.YAMLError as exc:
            if not silently:
                self._complain(1, _("This is not YAML: {reason}.").format(reason=safe_text(exc)))
            return None
        return root

    def _group(self, name: str, node: yaml.Node) -> None:
        for key, value in self._mapping(node, _("hosts, vars or children"), may_be_empty=True):
            match key.value:
                case "hosts":
                    for host, variables in self._mapping(value, _("hosts by name"), may_be_empty=True):
                        self._host(host, variables)
                case "vars":
                    self._variables(value, name, is_of_host=False)
                case "children":
                    for child, content in self._mapping(value, _("groups by name"), may_be_empty=True):
                        self._group(child.value, content)
                case unknown:
                    self._complain(
                        key.start_mark.line + 1,
                        _("A group has no {word}; expected is {expected}.").format(
                            word=safe_text(unknown), expected=_suggested(unknown)
                        ),
                    )

    def _host(self, key: yaml.Node, variables: yaml.Node) -> None:
        line = key.start_mark.line + 1
        try:
            names = list(expand_range(key.value))
        except ValueError as exc:
            self._complain(line, _("The range {range} does not count upwards.").format(range=exc))
            return
        for name in names:
            self.hosts.append(HostDefinition(name, Place(self.path, line)))
            self._variables(variables, name, is_of_host=True)

    def _variables(self, node: yaml.Node, owner: str, *, is_of_host: bool) -> None:
        for key, value in self._mapping(node, _("variables by name"), may_be_empty=True):
            self.variables.append(
                VariableDefinition(
                    owner=owner,
                    is_of_host=is_of_host,
                    name=str(key.value),
                    value=_value(value),
                    place=Place(self.path, key.start_mark.line + 1),
                    is_vaulted=value.tag in ("!vault", "!vault-encrypted"),
                    is_unsafe=value.tag == "!unsafe",
                )
            )

    def _mapping(
        self, node: yaml.Node | None, expected: str, *, may_be_empty: bool = False
    ) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """Return keys and values, those of merged mappings too; complain about anything else."""
        if node is None or (may_be_empty and node.tag == _PREFIX + "null"):
            return
        if not isinstance(node, yaml.MappingNode):
            self._complain(
                node.start_mark.line + 1,
                _("Expected are {expected}, as a mapping.").format(expected=expected),
            )
            return
        seen: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == _PREFIX + "merge":
                merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for part in merged:
                    yield from self._mapping(part, expected)
                continue
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self._complain(line, _("A name is expected here, not a list or a mapping."))
                continue
            if key.value in seen:
                self._complain(
                    line,
                    _("{word} stands here again; the one in line {line} would be lost.").format(
                        word=safe_text(key.value), line=seen[key.value]
                    ),
                )
            if key.tag != _PREFIX + "str":
                self._complain(
                    line,
                    _("YAML takes {word} for something else than a name: put it in quotation marks.").format(
                        word=safe_text(key.value)
                    ),
                )
            seen[key.value] = line
            yield key, value

    def _complain(self, line: int, message: str) -> None:
        problem = Problem(Place(self.path, line), message)
        # The mapping of a range of hosts is read once for each of them.
        if problem not in self.problems:
            self.problems.append(problem)


def _value(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return {}
    if isinstance(node, yaml.SequenceNode):
        return []
    match node.tag.removeprefix(_PREFIX):
        case "null":
            return None
        case "bool":
            return str(node.value).lower() in ("true", "yes", "on")
        case "int" if str(node.value).lstrip("+-").isdigit() and not str(node.value).startswith("0"):
            return int(node.value)
    return str(node.value)


def _suggested(word: str) -> str:
    close = difflib.get_close_matches(word, _GROUP_KEYS, n=1)
    return close[0] if close else ", ".join(_GROUP_KEYS)
