"""Which hosts a launch means, in words and as a limit for Ansible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from khien.domain.fleet import HostStatus
from khien.domain.run import RunOptions, Verb
from khien.i18n import _


@dataclass(frozen=True, slots=True)
class Scope:
    """A choice of hosts that the launch dialog offers."""

    words: str
    """Says clearly which hosts these are."""
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LaunchWish:
    """What a person asked for in the launch dialog."""

    verb: Verb
    scope: Scope
    check: bool
    reboot: bool

    def options(self, fleet: Sequence[HostStatus]) -> RunOptions:
        """Put the wish into Ansible's words."""
        options = RunOptions(limit=limit_for(self.scope.hosts, fleet))
        if not self.verb.changes_hosts:
            return options
        return replace(options, check=self.check, diff=self.check, reboot=self.reboot and not self.check)


def limit_for(hosts: Sequence[str], fleet: Sequence[HostStatus]) -> str:
    """Say these hosts as briefly as Ansible allows: all, a whole agency's group, or their names."""
    wanted = frozenset(hosts)
    listed = [status for status in fleet if status.in_inventory]
    if wanted == {status.host.name for status in listed}:
        return ""
    agencies = {status.host.agency for status in listed if status.host.name in wanted}
    if len(agencies) == 1 and (agency := agencies.pop()):
        group = {status.host.name for status in listed if agency in status.host.groups}
        if wanted == group:
            return agency
    return ",".join(sorted(wanted))


def scopes(
    *, marked: Sequence[str], current: Sequence[str], current_words: str, shown: Sequence[str], filtered: bool
) -> tuple[Scope, ...]:
    """Offer the marked hosts, else those under the cursor; and all that are shown."""
    offered: list[Scope] = []
    if marked:
        offered.append(Scope(_("the {n} marked hosts").format(n=len(marked)), tuple(sorted(marked))))
    elif current:
        offered.append(Scope(current_words, tuple(current)))
    if shown:
        words = _("all {n} hosts that the filter shows") if filtered else _("all {n} hosts of the fleet")
        offered.append(Scope(words.format(n=len(shown)), tuple(shown)))
    return tuple(offered)
