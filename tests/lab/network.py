"""A bridge per instance and a network namespace per host, in 198.18.0.0/15."""

import re
from dataclasses import dataclass

from tests.lab.shell import run

_OURS = re.compile(r"(khien\d{1,2}|kh\d{1,2}-\d{1,3})\Z")


@dataclass(frozen=True)
class Network:
    """The addresses and names of one instance; the default one is number 0."""

    index: int

    @property
    def bridge(self) -> str:
        """Name of the bridge."""
        return f"khien{self.index}"

    @property
    def gateway(self) -> str:
        """Address of this machine on the bridge."""
        return f"198.18.{16 * self.index}.1"

    def address(self, number: int) -> str:
        """Address of a host."""
        return f"198.18.{16 * self.index + 1 + number // 250}.{number % 250}"

    def link(self, number: int) -> str:
        """Name of a host's cable on this machine, and of its namespace."""
        return f"kh{self.index}-{number}"

    def up(self) -> None:
        """Make the bridge."""
        run(["ip", "link", "add", self.bridge, "type", "bridge"])
        run(["ip", "addr", "add", f"{self.gateway}/20", "dev", self.bridge])
        run(["ip", "link", "set", self.bridge, "up"])

    def down(self) -> None:
        """Remove the bridge."""
        _remove_link(self.bridge)

    def plug(self, number: int) -> None:
        """Give a host its namespace and its cable."""
        name = self.link(number)
        run(["ip", "netns", "add", name])
        run(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name])
        run(["ip", "link", "set", name, "master", self.bridge, "up"])
        run(["ip", "-n", name, "addr", "add", f"{self.address(number)}/20", "dev", "eth0"])
        run(["ip", "-n", name, "link", "set", "eth0", "up"])
        run(["ip", "-n", name, "link", "set", "lo", "up"])

    def plug_machine(self, number: int) -> None:
        """Give a host with a kernel of its own its cable; the address is its own business."""
        name = self.link(number)
        run(["ip", "tuntap", "add", "dev", name, "mode", "tap"])
        run(["ip", "link", "set", name, "master", self.bridge, "up"])

    def unplug(self, number: int) -> None:
        """Take them away again."""
        name = self.link(number)
        _remove_link(name)
        if name in run(["ip", "netns", "list"]).stdout.split():
            run(["ip", "netns", "delete", name])


def _remove_link(name: str) -> None:
    assert _OURS.match(name), name
    if not run(["ip", "link", "show", name], check=False).returncode:
        run(["ip", "link", "delete", name])
