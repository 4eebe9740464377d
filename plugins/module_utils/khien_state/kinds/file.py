"""A file of our own, assembled from the fragments of the controls that are demanded."""

from __future__ import annotations

import os
import stat
from typing import Any, Mapping, Optional

from ..resource import BadWordsError, Change, Plan, Resource, Skip, fitting, why_skipped
from ..system import ApplyError, System
from ..texts import ids, make_folders, missing_folders, must_be_valid, must_pass

_HEADER = "Managed by Khiên; changes here are lost at the next hardening."


class File(Resource):
    """Words: path, fragments [{control, text}] or control and content, mode, owner, group, validate …"""

    kind = "file"
    required = ("path",)
    optional = (
        *("fragments", "content", "header", "comment", "mode", "owner", "group"),
        *("validate", "check_after"),
    )

    def __init__(self, words: Mapping[str, Any]) -> None:
        super().__init__(words)
        if ("fragments" in words) == ("content" in words):
            raise BadWordsError("file %s: either fragments or content" % words["path"])

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Compare the file with what the fragments make."""
        path = self.words["path"]
        plan = Plan()
        wanted = []
        for fragment in self._fragments():
            if not fitting(fragment, system):
                continue
            merged = {**{k: v for k, v in self.words.items() if k != "fragments"}, **fragment}
            why = why_skipped(merged, system, coming)
            if why:
                plan.skips.append(Skip(fragment["control"], self.kind, path, why))
            else:
                wanted.append((fragment["control"], self._text(fragment)))
        if not wanted:
            return plan
        text = self._head() + "".join(text for _control, text in wanted)
        data = text.encode("utf-8")
        present = system.read(path)
        if present != data:
            plan.changes += self._text_changes(path, present, wanted, text)
        plan.changes += self._access_changes(system, path, wanted[0][0], absent=present is None)
        if plan.changes:
            plan.things = [("file", folder) for folder in missing_folders(system, path)] + [("file", path)]
            plan.act = lambda: self._write(system, path, data)
        return plan

    def _fragments(self) -> list[Mapping[str, Any]]:
        if "content" in self.words:
            return [{"control": self.words["control"], "text": self.words["content"]}]
        return list(self.words["fragments"])

    @staticmethod
    def _text(fragment: Mapping[str, Any]) -> str:
        text = str(fragment["text"])
        return text if text.endswith("\n") else text + "\n"

    def _head(self) -> str:
        header = self.words.get("header", _HEADER)
        if not header or "content" in self.words:
            return ""
        return "%s %s\n" % (self.words.get("comment", "#"), header)

    def _text_changes(
        self, path: str, present: Optional[bytes], wanted: list[tuple[str, str]], text: str
    ) -> list[Change]:
        """Attribute the difference to the controls whose text is missing, or else to the first."""
        there = None if present is None else present.decode("utf-8", "replace")
        missing = [(c, t) for c, t in wanted if there is None or ("\n" + t) not in ("\n" + there)]
        before = "∅" if there is None else "%d B" % len(present or b"")
        return [
            Change(control, self.kind, path, before, " ".join(fragment.split())[:300])
            for control, fragment in (missing or [(wanted[0][0], text[-300:])])
        ]

    def _access_changes(self, system: System, path: str, control: str, *, absent: bool) -> list[Change]:
        if absent or not system.exists(path):
            return []
        found = os.stat(system.path(path))
        now = "%04o %d:%d" % (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)
        uid, gid = self._owner()
        want = "%04o %d:%d" % (self._mode(), uid, gid)
        return [] if now == want else [Change(control, "permissions", path, now, want)]

    def _mode(self) -> int:
        return int(str(self.words.get("mode", "0644")), 8)

    def _owner(self) -> tuple[int, int]:
        return ids(str(self.words.get("owner", "root")), str(self.words.get("group", "root")))

    def _write(self, system: System, path: str, data: bytes) -> None:
        if self.words.get("validate"):
            must_be_valid(system, data, self.words["validate"], self._mode())
        if os.path.isdir(system.path(path)):
            raise ApplyError("%s is a folder" % path)
        make_folders(system, path)
        system.write(path, data, self._mode(), *self._owner())
        must_pass(system, self.words.get("check_after"))
