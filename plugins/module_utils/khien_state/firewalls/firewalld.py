"""firewalld where it is in use: the default zone and its log, nothing beside them."""

from __future__ import annotations

from typing import Sequence

from ..resource import Change, Plan, Skip
from ..system import System
from ..texts import missing_folders
from .wish import Wish

UNIT = "firewalld.service"
_CONFIG = "/etc/firewalld/firewalld.conf"
_LOOPBACK = 'rule family="ipv4" source address="127.0.0.0/8" drop'


def is_in_use(system: System) -> bool:
    """Whether firewalld is the firewall of this host now."""
    code, output = system.run(["firewall-cmd", "--state"])
    return code == 0 and output.strip() == "running"


def plan(system: System, wish: Wish) -> Plan:
    """Compare firewalld's permanent configuration with what is wished."""
    zone = _ask(system, "--get-default-zone")
    result = Plan()
    commands: list[Sequence[str]] = []

    def change(part: str, thing: str, before: str, after: str, *wanted: Sequence[str]) -> None:
        result.changes.append(Change(wish.parts[part], "firewall", "firewalld: " + thing, before, after))
        commands.extend(wanted)

    permanent = ["--permanent", "--zone=" + zone]
    target = _ask(system, *permanent, "--get-target")
    if "refuse" in wish.parts and target == "ACCEPT":
        names = [*("tcp/%d" % port for port in wish.ssh), *wish.kept, *wish.listed]
        ports = ["%s/%s" % (name.split("/")[1], name.split("/")[0]) for name in dict.fromkeys(names)]
        change(
            "refuse",
            "target of " + zone,
            target,
            "default; open: " + " ".join(ports),
            *([*permanent, "--add-port=" + port] for port in ports),
            [*permanent, "--set-target=default"],
        )
    if "loopback" in wish.parts and not _holds(system, *permanent, "--query-rich-rule=" + _LOOPBACK):
        change("loopback", "loopback", "∅", _LOOPBACK, [*permanent, "--add-rich-rule=" + _LOOPBACK])
    if "log" in wish.parts and _ask(system, "--get-log-denied") == "off":
        change("log", "log of refused packets", "off", "unicast", ["--set-log-denied=unicast"])
    if "boot" in wish.parts and system.run(["systemctl", "is-enabled", "--", UNIT])[0] != 0:
        change("boot", UNIT, "no", "yes")
    result.skips += [
        Skip(
            wish.parts[part],
            "firewall",
            "firewalld: " + part,
            "other_system",
            "firewalld is set by hand in this",
        )
        for part in ("forward", "management")
        if part in wish.parts
    ]
    if result.changes:
        place = "/etc/firewalld/zones/%s.xml" % zone
        files = [*missing_folders(system, place), place, place + ".old", _CONFIG, _CONFIG + ".old"]
        result.things = [*(("file", path) for path in files), ("unit", UNIT)]
        result.act = lambda: _apply(system, commands)
    return result


def _ask(system: System, *words: str) -> str:
    return system.must_run(["firewall-cmd", *words]).strip()


def _holds(system: System, *words: str) -> bool:
    return system.run(["firewall-cmd", *words])[0] == 0


def _apply(system: System, commands: Sequence[Sequence[str]]) -> None:
    for words in commands:
        system.must_run(["firewall-cmd", *words])
    system.must_run(["systemctl", "enable", "--", UNIT])
    system.must_run(["firewall-cmd", "--reload"])
