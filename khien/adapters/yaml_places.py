"""YAML read with its places: every value knows its file and line, so that an error can name them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from khien.errors import InputError


@dataclass(frozen=True, slots=True)
class Place:
    """One value of a YAML file with the place it stands at."""

    path: Path
    node: Node
    loader: yaml.CSafeLoader

    @property
    def line(self) -> int:
        """The line it begins on, counted from 1."""
        return self.node.start_mark.line + 1

    def error(self, problem: str) -> InputError:
        """Return an error that names this place."""
        return InputError(problem, path=self.path, line=self.line)

    def value(self) -> object:
        """Return the whole value as plain Python, refusing a key that stands twice."""
        match self.node:
            case MappingNode():
                return {key: entry.value() for key, entry in self._entries().items()}
            case SequenceNode():
                return [entry.value() for entry in self.items()]
            case _:
                return self._scalar()

    def text(self) -> str:
        """Return a text that is not empty."""
        value = self.value() if isinstance(self.node, ScalarNode) else None
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"expected a text, found {_describe(self.node)}")
        return " ".join(value.split())

    def truth(self) -> bool:
        """Return true or false."""
        value = self.value()
        if not isinstance(value, bool):
            raise self.error(f"expected true or false, found {_describe(self.node)}")
        return value

    def one_of(self, allowed: Collection[str]) -> str:
        """Return a text that is one of the allowed words."""
        value = self.text()
        if value not in allowed:
            raise self.error(f"{value!r} is not known; {_suggest(value, allowed)}")
        return value

    def items(self) -> Iterator[Place]:
        """Return the entries of a list."""
        if not isinstance(self.node, SequenceNode):
            raise self.error(f"expected a list, found {_describe(self.node)}")
        for entry in self.node.value:
            yield Place(self.path, entry, self.loader)

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(entry.text() for entry in self.items())

    def keys(self) -> tuple[str, ...]:
        """Return the keys of a mapping, whatever they are."""
        return tuple(self._entries())

    def mapping(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Place]:
        """Return the entries of a mapping that has all required keys and no unknown one."""
        entries = self._entries()
        for key, entry in entries.items():
            if key not in required and key not in optional:
                raise entry.error(f"unknown key {key!r}; {_suggest(key, (*required, *optional))}")
        missing = [key for key in required if key not in entries]
        if missing:
            raise self.error(f"missing: {', '.join(missing)}")
        return entries

    def _scalar(self) -> object:
        try:
            plain: object = self.loader.construct_object(self.node)
        except (ValueError, yaml.YAMLError) as error:
            raise self.error(f"{self.node.value!r} cannot be understood: {error}") from error
        return plain

    def _entries(self) -> dict[str, Place]:
        if not isinstance(self.node, MappingNode):
            raise self.error(f"expected a mapping, found {_describe(self.node)}")
        entries: dict[str, Place] = {}
        for key_node, value_node in self.node.value:
            key_place = Place(self.path, key_node, self.loader)
            key = key_place.value()
            if not isinstance(key, str):
                raise key_place.error(f"expected a text as key, found {_describe(key_node)}")
            if key in entries:
                raise key_place.error(f"the key {key!r} stands twice")
            entries[key] = Place(self.path, value_node, self.loader)
        return entries


def read_yaml(path: Path) -> Place:
    """Read a YAML file.

    Raises:
        InputError: it cannot be read or is no YAML; file and line are named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", path=path) from error
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path) -> Place:
    """Read YAML that stands, or is to stand, in a file.

    Raises:
        InputError: it is no YAML; file and line are named.
    """
    try:
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise InputError(f"not valid YAML: {error.problem}", path=path, line=line) from error
    except yaml.YAMLError as error:
        raise InputError(f"cannot be read: {error}", path=path) from error
    if node is None:
        raise InputError("the file is empty", path=path)
    return Place(path, node, loader)


def _describe(node: Node) -> str:
    match node:
        case MappingNode():
            return "a mapping"
        case SequenceNode():
            return "a list"
        case _:
            return repr(node.value) if node.value else "nothing"


def _suggest(word: str, allowed: Collection[str]) -> str:
    close = get_close_matches(word, allowed, n=1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of: {', '.join(sorted(allowed))}"
