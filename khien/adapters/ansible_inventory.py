"""Reads the inventory exactly as Ansible itself does: by asking ansible-inventory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from khien.adapters.inventory_cache import InventoryCache, cache_key
from khien.adapters.inventory_listing import hosts_of_listing
from khien.domain.host import Host
from khien.domain.text import safe_text
from khien.errors import InputError, UsageError
from khien.i18n import _

# A source that Ansible cannot read and a pattern that matches nothing are errors here, not warnings that
# scroll by: half an inventory would look like a province in which half the hosts do not exist.
_STRICT = {
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_FORCE_COLOR": "0",
    "ANSIBLE_VERBOSITY": "0",
    "ANSIBLE_DEPRECATION_WARNINGS": "false",
    "ANSIBLE_STDOUT_CALLBACK": "default",
    "PYTHONUTF8": "1",
}
_ORIGIN = re.compile(r"^Origin: (?P<path>/.+?):(?P<line>\d+)(?::\d+)?$", re.MULTILINE)
_UNMATCHED = re.compile(r"Could not match supplied host pattern, ignoring: (.*)")
_UNPARSED = re.compile(r"Completely failed to parse inventory source (.*)")
_ERROR = re.compile(r"^\[?ERROR\]?!?:? ?(.*)", re.MULTILINE)
_CAUSE = "<<< caused by >>>"


class AnsibleInventory:
    """The inventory as ansible-inventory tells it; answers of static inventories are kept on disk."""

    def __init__(
        self,
        *,
        default: Sequence[str] = (),
        config: Path | None = None,
        cache: Path | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_seconds: float = 300,
    ) -> None:
        """Take where to look when nothing is named, and where answers may be kept.

        Args:
            default: inventory sources used when none is given.
            config: the ansible.cfg to use; None leaves the search to Ansible.
            cache: a folder for answers; None keeps none.
            environment: the environment of ansible-inventory; None takes that of this process.
            timeout_seconds: how long a dynamic source may take.
        """
        self._default = tuple(default)
        self._environment = {**(os.environ if environment is None else environment), **_STRICT}
        # Else it would make a .ansible in the home of whoever asks.
        self._environment.setdefault("ANSIBLE_LOCAL_TEMP", tempfile.gettempdir())
        if cache is not None:
            self._environment.setdefault("ANSIBLE_HOME", str(cache))
        if config is not None:
            self._environment["ANSIBLE_CONFIG"] = str(config)
        self._cache = InventoryCache(cache) if cache is not None else None
        self._timeout = timeout_seconds

    def hosts(self, inventory: Sequence[str], limit: str = "") -> tuple[Host, ...]:
        """Return the hosts, sorted by name."""
        sources = tuple(inventory) or self._default
        for source in sources:
            if "," not in source and not Path(source).exists():
                raise UsageError(_("There is no inventory at {path}.").format(path=source))
        key = self._key(sources, limit)
        if self._cache is not None and key is not None and (known := self._cache.get(key)) is not None:
            return known
        hosts = hosts_of_listing(self._listing(sources, limit))
        if limit and not hosts:
            raise UsageError(
                _("The pattern {limit} matches no host of the inventory.").format(limit=safe_text(limit))
            )
        # An inventory that changed while Ansible was reading it may have been seen half old, half new.
        if self._cache is not None and key is not None and key == self._key(sources, limit):
            self._cache.put(key, hosts)
        return hosts

    def _key(self, sources: Sequence[str], limit: str) -> str | None:
        if self._cache is None:
            return None
        named = self._environment.get("ANSIBLE_CONFIG")
        candidates = (
            [Path(named)]
            if named
            else [Path("ansible.cfg"), Path.home() / ".ansible.cfg", Path("/etc/ansible/ansible.cfg")]
        )
        return cache_key(sources, limit, configs=candidates, environment=self._environment)

    def _listing(self, sources: Sequence[str], limit: str) -> Mapping[str, Any]:
        command = [str(Path(sys.executable).with_name("ansible-inventory")), "--list"]
        # One word each, so that a source or a pattern such as "-e" can never become an option.
        command += [f"--inventory={source}" for source in sources]
        command += [f"--limit={limit}"] if limit else []
        try:
            done = subprocess.run(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=self._timeout,
                check=False,
            )
        except FileNotFoundError as exc:
            raise UsageError(
                _(
                    "The program ansible-inventory is missing beside {python}; install ansible-core there."
                ).format(python=sys.executable)
            ) from exc
        except subprocess.TimeoutExpired as exc:
            raise UsageError(
                _("The inventory gave no answer within {seconds} seconds.").format(
                    seconds=round(self._timeout)
                )
            ) from exc
        if done.returncode != 0:
            raise _explain(done.stderr, limit)
        try:
            listing: Mapping[str, Any] = json.loads(done.stdout)
        except ValueError as exc:
            raise UsageError(_("ansible-inventory printed something that is not JSON.")) from exc
        return listing


def _explain(stderr: str, limit: str) -> UsageError:
    """Turn what ansible-inventory said into one message."""
    if unmatched := _UNMATCHED.search(stderr):
        return UsageError(
            _("{pattern}, in the pattern {limit}, is no host and no group of the inventory.").format(
                pattern=safe_text(unmatched[1]), limit=safe_text(limit)
            )
        )
    if origin := _ORIGIN.search(stderr):
        said = stderr[: origin.start()].rsplit(_CAUSE, 1)[-1].strip().splitlines()
        return InputError(safe_text(said[-1] if said else ""), path=origin["path"], line=int(origin["line"]))
    if unparsed := _UNPARSED.search(stderr):
        source = unparsed[1].strip()
        return InputError(
            _("Ansible cannot read it as an inventory: {message}").format(
                message=_plugin_message(stderr, source)
            ),
            path=source,
        )
    errors = _ERROR.findall(stderr)
    last = errors[-1] if errors else (stderr.strip().splitlines() or ["?"])[-1]
    return UsageError(_("Ansible cannot read the inventory: {message}").format(message=safe_text(last)))


def _plugin_message(stderr: str, source: str) -> str:
    """Pick what the plugin meant for this kind of file said; the others fail for reasons of no interest."""
    plugin = "yaml" if Path(source).suffix in {".yml", ".yaml", ".json"} else "ini"
    said = re.search(rf"with '{plugin}' plugin: (.*)", stderr)
    if said is None:
        return _("no inventory plugin understands it")
    return safe_text(re.sub(r""", found "<class .*?>" instead""", "", said[1]))
