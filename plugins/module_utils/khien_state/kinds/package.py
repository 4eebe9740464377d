"""Packages that shall be there, or shall not."""

from __future__ import annotations

import re

from ..resource import Change, Plan, Resource, Skip, why_skipped
from ..system import ApplyError, System
from ..things import NoBlobs, install_packages, look, remove_packages

_NEW = re.compile(r"^Inst (\S+) \((\S+)", re.MULTILINE)


class Package(Resource):
    """Words: name, control, state (present or absent)."""

    kind = "package"
    required = ("name", "control")
    optional = ("state",)

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Compare what is installed; for a new package ask the host's tool what comes along."""
        name, control = self.words["name"], self.words["control"]
        version = look(system, "package", name, NoBlobs())
        wanted = self.words.get("state", "present") == "present"
        if (version is not None) == wanted:
            return Plan()
        why = why_skipped(self.words, system, coming)
        if why:
            return Plan(skips=[Skip(control, self.kind, name, why)])
        if not wanted:
            return Plan(
                changes=[Change(control, self.kind, name, str(version), "∅")],
                things=[("package", name)],
                act=lambda: remove_packages(system, [name]),
            )
        news = _news(system, name)
        if not news:
            return Plan(skips=[Skip(control, self.kind, name, "absent", "no package source has it")])
        return Plan(
            changes=[Change(control, self.kind, one, "∅", version) for one, version in news.items()],
            things=[("package", one) for one in news],
            act=lambda: _install(system, name, news),
            packages=frozenset({name}),
        )


def _news(system: System, name: str) -> dict[str, str]:
    """Return the packages that installing would bring, with their versions."""
    if system.family != "debian":
        code, output = system.run(["dnf", "-q", "list", "--available", name], 120)
        rows = [line.split() for line in output.split("\n")]
        found = [row[1] for row in rows if len(row) > 2 and row[0].rsplit(".", 1)[0] == name]
        return {name: found[-1]} if code == 0 and found else {}
    code, output = system.run(
        ["apt-get", "-s", "-q", "install", "--no-install-recommends", "--no-remove", "--", name], 120
    )
    if code != 0:
        return {}
    return {match.group(1): match.group(2) for match in _NEW.finditer(output)}


def _install(system: System, name: str, news: dict[str, str]) -> None:
    install_packages(system, [name])
    missing = [one for one in news if look(system, "package", one, NoBlobs()) is None]
    if missing:
        raise ApplyError("not installed: %s" % ", ".join(missing))
