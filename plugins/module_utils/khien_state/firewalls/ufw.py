"""ufw where it is in use: its defaults and a few rules, nothing beside them."""

from __future__ import annotations

from typing import Sequence

from ..resource import Change, Plan, Skip
from ..system import System
from .wish import Wish

_FILES = ("/etc/ufw/user.rules", "/etc/ufw/user6.rules", "/etc/ufw/ufw.conf", "/etc/default/ufw")
_LOOPBACK = (["allow", "in", "on", "lo"], ["deny", "from", "127.0.0.0/8"], ["deny", "from", "::1"])
UNIT = "ufw.service"


def is_in_use(system: System) -> bool:
    """Whether ufw is the firewall of this host now."""
    code, output = system.run(["ufw", "status"])
    return code == 0 and "Status: active" in output


def plan(system: System, wish: Wish) -> Plan:
    """Compare ufw's state with what is wished."""
    _code, status = system.run(["ufw", "status", "verbose"])
    _code, added = system.run(["ufw", "show", "added"])
    result = Plan()
    commands: list[Sequence[str]] = []

    def change(part: str, thing: str, before: str, after: str, *wanted: Sequence[str]) -> None:
        result.changes.append(Change(wish.parts[part], "firewall", "ufw: " + thing, before, after))
        commands.extend(wanted)

    default = next((line for line in status.split("\n") if line.startswith("Default: ")), "")
    if "refuse" in wish.parts and not default.startswith(("Default: deny", "Default: reject")):
        names = [*("tcp/%d" % port for port in wish.ssh), *wish.kept, *wish.listed]
        ports = ["%s/%s" % (name.split("/")[1], name.split("/")[0]) for name in dict.fromkeys(names)]
        change(
            "refuse",
            "default incoming",
            default.partition(" (incoming)")[0].rpartition(" ")[2],
            "deny; open: " + " ".join(ports),
            *(["allow", port] for port in ports),
            ["default", "deny", "incoming"],
        )
    missing = [words for words in _LOOPBACK if "ufw " + " ".join(words) not in added.split("\n")]
    if "loopback" in wish.parts and missing:
        # First, for ufw takes the first rule that fits.
        wanted = [["prepend", *words] for words in reversed(missing)]
        change("loopback", "loopback", "∅", " ; ".join(" ".join(words) for words in missing), *wanted)
    if "log" in wish.parts and "Logging: off" in status:
        change("log", "logging", "off", "low", ["logging", "low"])
    if "boot" in wish.parts and system.run(["systemctl", "is-enabled", "--", UNIT])[0] != 0:
        change("boot", UNIT, "no", "yes")
    result.skips += [
        Skip(wish.parts[part], "firewall", "ufw: " + part, "other_system", "ufw is set by hand in this")
        for part in ("forward", "management")
        if part in wish.parts
    ]
    if result.changes:
        result.things = [*(("file", path) for path in _FILES), ("unit", UNIT)]
        result.act = lambda: _apply(system, commands)
    return result


def _apply(system: System, commands: Sequence[Sequence[str]]) -> None:
    for words in commands:
        system.must_run(["ufw", *words])
    system.must_run(["systemctl", "enable", "--", UNIT])
