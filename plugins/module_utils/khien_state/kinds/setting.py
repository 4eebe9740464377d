"""Settings in a file that has no folder for drop-ins: edited in place, all else in it stays."""

from __future__ import annotations

import re
from typing import Any, Mapping, Optional

from ..resource import Change, Plan, Resource, Skip, fitting, truth, why_skipped
from ..system import System
from ..texts import make_folders, missing_folders, must_be_valid, must_pass, rewrite


class Setting(Resource):
    """Words: path, separator, entries [{control, key, value}], comment, create, mode, validate …

    An entry may say what else is as good, so that a stricter value of the host's own stays: `or_more: true`,
    `or_less: true` (both of numbers above zero), `also_fine: [values]`.
    """

    kind = "setting"
    required = ("path", "entries")
    optional = ("separator", "comment", "create", "mode", "validate", "check_after")

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Compare each key with its wished value."""
        path = self.words["path"]
        plan = Plan()
        text = system.text(path)
        todo: list[tuple[str, str]] = []
        for entry in self.words["entries"]:
            if not fitting(entry, system):
                continue
            merged = {**{k: v for k, v in self.words.items() if k != "entries"}, **entry}
            why = why_skipped(merged, system, coming)
            if why is None and text is None and not self.words.get("create") and not self.waits_for(coming):
                why = "absent"
            key, value = str(entry["key"]), str(entry["value"])
            thing = "%s: %s" % (path, key)
            if why:
                plan.skips.append(Skip(entry["control"], self.kind, thing, why))
                continue
            now = self._value(text or "", key)
            if not _is_fine(now, value, entry):
                plan.changes.append(
                    Change(entry["control"], self.kind, thing, "∅" if now is None else now, value)
                )
                todo.append((key, value))
        if todo:
            plan.things = [("file", folder) for folder in missing_folders(system, path)] + [("file", path)]
            plan.act = lambda: self._write(system, path, todo)
        return plan

    @property
    def _comment(self) -> str:
        return str(self.words.get("comment", "#"))

    def _pattern(self, key: str) -> re.Pattern[str]:
        separator = str(self.words.get("separator", " ")).strip()
        between = r"[ \t]*%s[ \t]*" % re.escape(separator) if separator else r"(?:[ \t]+|[ \t]*$)"
        return re.compile(r"[ \t]*%s%s(.*)" % (re.escape(key), between))

    def _value(self, text: str, key: str) -> Optional[str]:
        """Return the value in force; None when several disagree, for then the file must be tidied."""
        pattern = self._pattern(key)
        found = [match.group(1).strip() for line in text.split("\n") if (match := pattern.match(line))]
        return found[-1] if found and len(set(found)) == 1 else None

    def _write(self, system: System, path: str, todo: list[tuple[str, str]]) -> None:
        text = system.text(path)
        created = text is None
        lines = (text or "").split("\n")
        for key, value in todo:
            lines = self._with(lines, key, value)
        whole = "\n".join(lines)
        if not whole.endswith("\n"):
            whole += "\n"
        if created:
            data = whole.lstrip("\n").encode("utf-8")
            mode = int(str(self.words.get("mode", "0644")), 8)
            if self.words.get("validate"):
                must_be_valid(system, data, self.words["validate"], mode)
            make_folders(system, path)
            system.write(path, data, mode, 0, 0)
        else:
            rewrite(system, path, whole, validate=str(self.words.get("validate", "")))
        must_pass(system, self.words.get("check_after"))

    def _with(self, lines: list[str], key: str, value: str) -> list[str]:
        """Put the value where the first one stands, drop the others; a new one goes behind its example."""
        line = "%s%s%s" % (key, self.words.get("separator", " "), value)
        pattern = self._pattern(key)
        places = [number for number, old in enumerate(lines) if pattern.match(old)]
        if places:
            kept = [old for number, old in enumerate(lines) if number not in places[1:]]
            kept[places[0]] = line
            return kept
        example = re.compile(r"[ \t]*%s[ \t]*%s" % (re.escape(self._comment), self._pattern(key).pattern))
        for number, old in enumerate(lines):
            if example.match(old):
                return [*lines[: number + 1], line, *lines[number + 1 :]]
        if lines and lines[-1] == "":
            return [*lines[:-1], line, ""]
        return [*lines, line]


def _is_fine(now: Optional[str], wanted: str, entry: Mapping[str, Any]) -> bool:
    """Whether a value is the wished one, or one that the entry calls as good."""
    if now is None:
        return False
    if now == wanted or now in [str(value) for value in entry.get("also_fine") or []]:
        return True
    if not (now.isdigit() and wanted.isdigit() and int(now) > 0):
        return False
    more, less = truth(entry.get("or_more", False)), truth(entry.get("or_less", False))
    return (more and int(now) > int(wanted)) or (less and int(now) < int(wanted))
