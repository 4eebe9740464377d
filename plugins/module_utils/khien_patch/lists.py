"""Refreshes apt's package lists and finds out whether those of the security sources really are fresh."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import Sequence

from .command import Output, PatchError, Run
from .plan import LISTS, Sources, Workplace, last_error
from .policy import PackageFile, has_origin

_LINE = re.compile(r"^(Hit|Get|Ign|Err):\d+ (\S+) (\S+) (\S+)")
_FACT = re.compile(r"^(Origin|Label|Suite|Codename): (.*)$", re.MULTILINE)
_RELEASE_WORDS = {"o": "Origin", "l": "Label", "a": "Suite", "n": "Codename"}
_QUOTED = '\\|{}[]<>"^~_=!@#$%&*'
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

    @property
    def is_release(self) -> bool:
        """Whether it says that the source's own description was fetched or is still the same."""
        return self.result in ("Hit", "Get") and self.file in ("InRelease", "Release")

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
    return Workplace(folder, ("-c", config, *words), own_lists)


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


def find_empty_sources(
    output: Output, workplace: Workplace, security_origins: Sequence[str]
) -> tuple[PackageFile, ...]:
    """Return the security sources without packages, as on their first day: the policy leaves them out."""
    found = []
    for fetch in parse_update(output.out):
        if fetch.is_release:
            name = _list_name("{}/dists/{}/{}".format(fetch.address.rstrip("/"), fetch.suite, fetch.file))
            facts = _read_release(os.path.join(workplace.lists, name))
            release = ",".join(key + "=" + facts.get(word, "") for key, word in _RELEASE_WORDS.items())
            source = PackageFile(0, "{} {}/-".format(fetch.address, fetch.suite), release)
            if has_origin(source, security_origins):
                found.append(source)
    return tuple(found)


def _list_name(address: str) -> str:
    """Return the name under which apt keeps what it fetched from an address."""
    path = address.partition("://")[2] or address.partition(":")[2]
    return "".join("%{:02x}".format(ord(c)) if c in _QUOTED else c for c in path).replace("/", "_")


def _read_release(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            head = file.read(20_000)
    except OSError:
        return {}
    return dict(_FACT.findall(head))


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
        is_told = any(fetch.is_release for fetch in own)
        if not is_told or any(fetch.result == "Err" for fetch in own):
            raise _not_fetched(source.address, source.suite, output)
    if not sources.security:
        origins = ", ".join(security_origins)
        raise PatchError(
            "lists_failed", "No package source of this host has a security origin ({}).".format(origins)
        )


def _not_fetched(address: str, suite: str, output: Output) -> PatchError:
    return PatchError("lists_failed", "{} {} was not fetched. {}".format(address, suite, last_error(output)))
