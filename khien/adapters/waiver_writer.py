"""Writes waivers into reviewed YAML: what stands in a file already keeps every byte, comments and all."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from khien.adapters.waivers_yaml import SCHEMA, read_waiver, read_waivers, waiver_entries
from khien.adapters.yaml_places import parse_yaml, read_yaml
from khien.domain.waiver import Waiver
from khien.errors import InputError, UsageError
from khien.i18n import _

NEW_FILE = "waivers.yml"
_HEAD = f"""\
---
# Waivers: controls that are excused somewhere until a day. Each is a decision of a person; review them.
schema: {SCHEMA}

waivers:
"""
_PLAIN = re.compile(r"[A-Za-zÀ-ỹ][\w .,()/+-]*[\w.)]", re.UNICODE)


def add_waiver(path: Path, waiver: Waiver, controls: Collection[str]) -> Path:
    """Append a waiver and return the file it stands in.

    Args:
        path: a file, or a folder; in a folder without files waivers.yml is begun.
        waiver: the waiver; its id must be new.
        controls: the controls there are.

    Raises:
        InputError: the file cannot be read, or cannot be appended to without rewriting it.
    """
    file = path / NEW_FILE if path.is_dir() or path.suffix not in (".yml", ".yaml") else path
    with _locked(file.parent):
        known, problems = read_waivers(path, controls)
        if problems:
            raise problems[0]
        if waiver.id in {other.id for other in known}:
            raise UsageError(_("A waiver {id} exists already.").format(id=waiver.id))
        before = _text(file) if file.exists() else _HEAD
        _write(file, before, _appended(file, before, waiver), controls, waiver, is_new=True)
    return file


def revoke_waiver(waiver: Waiver, on: date, person: str, controls: Collection[str]) -> None:
    """Mark a waiver as revoked where it stands; the entry stays, so that one can see that it was there.

    Raises:
        InputError: the file cannot be read, or cannot be marked without rewriting it.
    """
    file = Path(waiver.file)
    with _locked(file.parent):
        before = _text(file)
        (entry,) = [
            entry for entry in waiver_entries(read_yaml(file)) if read_waiver(entry, controls).id == waiver.id
        ]
        if not isinstance(entry.node, MappingNode) or entry.node.flow_style:
            raise entry.error(_("This waiver stands in braces; write it in lines to have it revoked."))
        last = max((value for _key, value in entry.node.value), key=_end)
        indent = " " * entry.node.value[0][0].start_mark.column
        lines = f"{indent}revoked: {on}\n{indent}revoked_by: {_scalar(person)}\n"
        revoked = replace(waiver, revoked=on)
        _write(file, before, _inserted(before, _end(last), lines), controls, revoked, is_new=False)


def next_id(known: Collection[str], year: int) -> str:
    """Return an id that no waiver has: the year and the next number."""
    pattern = re.compile(rf"w-{year}-(\d+)\Z")
    numbers = [int(found[1]) for word in known if (found := pattern.match(word))]
    return f"w-{year}-{max(numbers, default=0) + 1:03}"


def _appended(file: Path, before: str, waiver: Waiver) -> str:
    """Put an entry behind the last one of the list."""
    place = parse_yaml(before, file).mapping(("schema", "waivers"))["waivers"]
    node: Node = place.node
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        return _inserted(before, _end(node), _entry(waiver, node.start_mark.column))
    if isinstance(node, SequenceNode) and node.value:
        raise place.error(_("The list stands in brackets; write it in lines to have a waiver added."))
    if isinstance(node, ScalarNode) and not node.value:  # `waivers:` and nothing
        return _inserted(before, node.start_mark.index, _entry(waiver, 2))
    # `waivers: []`, or null in words: the word goes, the entry comes on the next line.
    kept = before[: node.start_mark.index].rstrip(" ")
    return _inserted(kept + before[node.end_mark.index :], len(kept), _entry(waiver, 2))


def _end(node: Node) -> int:
    """Return where a value ends; the end mark of a block lies further down, where the next thing begins."""
    match node:
        case MappingNode() if node.value and not node.flow_style:
            return max(_end(value) for _key, value in node.value)
        case SequenceNode() if node.value and not node.flow_style:
            return max(_end(value) for value in node.value)
        case _:
            end: int = node.end_mark.index
            return end


def _inserted(text: str, after: int, lines: str) -> str:
    """Put whole lines behind the line in which a position lies."""
    if after > 0 and text[after - 1 : after] == "\n":
        at = after  # a block of text ends with its line
    else:
        newline = text.find("\n", after)
        at = len(text) if newline < 0 else newline + 1
    if at == len(text) and text and not text.endswith("\n"):
        lines = "\n" + lines
    return text[:at] + lines + text[at:]


def _entry(waiver: Waiver, column: int) -> str:
    rows = (
        ("id", waiver.id),
        ("control", waiver.control),
        ("scope", f"{{{waiver.kind.value}: {_scalar(waiver.scope)}}}"),
        ("reason", _scalar(waiver.reason)),
        ("approver", _scalar(waiver.approver)),
        ("issued", waiver.issued.isoformat()),
        ("expires", waiver.expires.isoformat()),
    )
    indent = " " * column
    first, *rest = (f"{key}: {value}\n" for key, value in rows)
    return f"{indent}- {first}" + "".join(f"{indent}  {line}" for line in rest)


def _scalar(text: str) -> str:
    """Return a text as YAML: bare where that is plainly safe, else in double quotes as JSON has them."""
    words = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
    if _PLAIN.fullmatch(text) and text.casefold() not in words and "," not in text:
        return text
    return json.dumps(text, ensure_ascii=False)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", path=file) from error


def _write(
    file: Path, before: str, after: str, controls: Collection[str], wanted: Waiver, *, is_new: bool
) -> None:
    """Replace the file, once it is proven that the result says what it should and no more."""
    try:
        entries = waiver_entries(parse_yaml(after, file))
        said = {waiver.id: waiver for waiver in (read_waiver(entry, controls) for entry in entries)}
        values = {waiver: entry.value() for waiver, entry in zip(said, entries, strict=True)}
    except (InputError, ValueError):
        said, values = {}, {}
    old = {str(entry.value()) for entry in waiver_entries(parse_yaml(before, file))}
    new = [waiver for waiver, value in values.items() if str(value) not in old]
    if len(values) != len(old) + is_new or new != [wanted.id] or not _same(said[wanted.id], wanted):
        raise InputError(_("A waiver cannot be written here without rewriting the file."), path=file)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(after.encode())
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=file) from error
    finally:
        fresh.unlink(missing_ok=True)


def _same(written: Waiver, wanted: Waiver) -> bool:
    return replace(written, file="", line=0) == replace(wanted, file="", line=0)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let nobody else of us write waivers of this folder meanwhile."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=folder) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
