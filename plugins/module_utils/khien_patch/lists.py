"""Refreshes apt's package lists and finds out whether those of the security sources really are fresh."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import Sequence

from .command import Output, PatchError, Run
from .plan import Sources, Workplace, last_error
from .policy import PackageFile

LISTS = "/var/lib/apt/lists"
_LINE = re.compile(r"^(Hit|Get|Ign|Err):\d+ (\S+) (\S+) (\S+)")
# Hooks of an update write stamps and caches on the host; a prediction must not.
_NO_HOOKS = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear AptCli::Hooks;
#clear Binary::apt::AptCli::Hooks;
"""


@dataclass(frozen=True)
class Fetch:
    """What `apt-get update` said about one file of one source."""

    result: str
    address: str
    suite: str
    file: str

    def is_of(self, source: PackageFile) -> bool:
        """Whether it belongs to this package source."""
        if source.address.startswith("mirror"):
            return self.suite.startswith(source.suite)  # apt names the mirror it chose
        same_suite = self.suite == source.suite or self.suite.startswith(source.suite + "/")
        return self.address == source.address and same_suite


def parse_update(text: str) -> tuple[Fetch, ...]:
    """Read the output of `apt-get update`."""
    found = (_LINE.match(line) for line in text.splitlines())
    return tuple(Fetch(*match.groups()) for match in found if match)


def private_workplace(folder: str, lists: str = LISTS) -> Workplace:
    """Return a workplace whose lists and caches are a copy, so that a prediction leaves the host's alone."""
    own_lists, cache = os.path.join(folder, "lists"), os.path.join(folder, "cache")
    for path in (own_lists, cache, os.path.join(cache, "archives")):
        os.makedirs(os.path.join(path, "partial"))
        os.chmod(path, 0o755)  # noqa: S103 - apt fetches as a user of its own, which must pass through
    for entry in os.scandir(lists) if os.path.isdir(lists) else ():
        # What is up to date already is not fetched again; slow lines matter.
        if entry.is_file(follow_symlinks=False) and entry.name != "lock":
            shutil.copy2(entry.path, own_lists)
    config = os.path.join(folder, "config")
    with open(config, "w", encoding="utf-8") as file:
        file.write(_NO_HOOKS)
    options = {"Dir::State::Lists": own_lists + "/", "Dir::Cache": cache + "/"}
    words = [word for key, value in options.items() for word in ("-o", key + "=" + value)]
    return Workplace(folder, ("-c", config, *words))


def refresh(run: Run, workplace: Workplace, timeout: float) -> Output:
    """Fetch the lists of all sources.

    Raises:
        PatchError: it took too long.
    """
    output = run(["apt-get", "-q", *workplace.options, "update"], timeout)
    if output.timed_out:
        raise PatchError(
            "lists_failed", "apt-get update was still running after {:.0f} seconds.".format(timeout)
        )
    return output


def require_fresh(output: Output, sources: Sources, security_origins: Sequence[str]) -> None:
    """Make sure that what apt knows of security updates is of now.

    A source that is known and holds no security updates may fail; one that apt never saw may be anything.

    Raises:
        PatchError: a security source was not fetched, or there is none.
    """
    fetches = parse_update(output.out)
    for fetch in fetches:
        if fetch.result == "Err" and not any(fetch.is_of(source) for source in sources.files):
            raise _not_fetched(fetch.address, fetch.suite, output)
    for source in sources.security:
        own = [fetch for fetch in fetches if fetch.is_of(source)]
        is_told = any(f.result in ("Hit", "Get") and f.file in ("InRelease", "Release") for f in own)
        if not is_told or any(fetch.result == "Err" for fetch in own):
            raise _not_fetched(source.address, source.suite, output)
    if not sources.security:
        origins = ", ".join(security_origins)
        raise PatchError(
            "lists_failed", "No package source of this host has a security origin ({}).".format(origins)
        )


def _not_fetched(address: str, suite: str, output: Output) -> PatchError:
    return PatchError("lists_failed", "{} {} was not fetched. {}".format(address, suite, last_error(output)))
