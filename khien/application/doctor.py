"""Judges an installation: from what was found on this machine to one sentence per matter and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from khien.application.installation import FolderFacts, InstallationFacts, ServiceFacts
from khien.i18n import _, ngettext

ANSIBLE_CORE = ((2, 19), (2, 22))
"""The first supported version of ansible-core and the first that is not; as pyproject.toml says."""
OLDEST_PYTHON = (3, 11)
_NETWORK_FILESYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.glusterfs", "9p"}
)
_MIB = 1024 * 1024
_BUILT = datetime(2026, 11, 1, tzinfo=UTC)


class Health(StrEnum):
    """How a matter stands."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One matter, in one sentence, and what to do about it."""

    id: str
    health: Health
    text: str
    advice: str = ""


def diagnose(facts: InstallationFacts, services: ServiceFacts) -> tuple[Diagnosis, ...]:
    """Judge every matter of an installation, in a fixed order."""
    judges: tuple[Callable[[], Iterator[Diagnosis]], ...] = (
        lambda: _python(facts),
        lambda: _ansible(facts),
        lambda: _folder("state_dir", facts.state, facts),
        lambda: _folder("runtime_dir", facts.runtime, facts),
        lambda: _space(facts.state),
        lambda: _store(services),
        lambda: _counted("inventory", services.inventory),
        lambda: _counted("controls", services.controls),
        lambda: _ssh(facts),
        lambda: _known_hosts(facts),
        lambda: _configuration(facts),
        lambda: _language(facts),
        lambda: _terminal(facts),
        lambda: _leftovers(services),
        lambda: _clock(facts, services),
    )
    return tuple(diagnosis for judge in judges for diagnosis in judge())


def _python(facts: InstallationFacts) -> Iterator[Diagnosis]:
    version = ".".join(map(str, facts.python))
    if facts.python[:2] < OLDEST_PYTHON:
        yield Diagnosis(
            "python",
            Health.PROBLEM,
            _("Python {version} is too old.").format(version=version),
            _("Install Khiên with Python {needed} or newer.").format(needed=_dotted(OLDEST_PYTHON)),
        )
    else:
        yield Diagnosis("python", Health.OK, _("Python {version} is supported.").format(version=version))


def _ansible(facts: InstallationFacts) -> Iterator[Diagnosis]:
    low, high = ANSIBLE_CORE
    again = _("Install Khiên again in its own virtual environment: pip install --force-reinstall khien")
    version = _version(facts.ansible_core)
    if not version:
        yield Diagnosis("ansible_core", Health.PROBLEM, _("ansible-core is not installed."), again)
    elif not low <= version < high:
        yield Diagnosis(
            "ansible_core",
            Health.PROBLEM,
            _("ansible-core {version} is not one of the supported versions.").format(
                version=facts.ansible_core
            ),
            _("Install one from {low} to before {high}.").format(low=_dotted(low), high=_dotted(high)),
        )
    else:
        yield Diagnosis(
            "ansible_core",
            Health.OK,
            _("ansible-core {version} is supported.").format(version=facts.ansible_core),
        )
    if facts.missing_scripts:
        names = ", ".join(facts.missing_scripts)
        yield Diagnosis(
            "ansible_scripts", Health.PROBLEM, _("Not found: {names}.").format(names=names), again
        )
    else:
        yield Diagnosis("ansible_scripts", Health.OK, _("Ansible's commands are found."))
    if facts.ansible_runner:
        text = _("ansible-runner {version} can be imported.").format(version=facts.ansible_runner)
        yield Diagnosis("ansible_runner", Health.OK, text)
    else:
        text = _("ansible-runner cannot be imported.")
        yield Diagnosis("ansible_runner", Health.PROBLEM, text, again)


def _folder(name: str, folder: FolderFacts, facts: InstallationFacts) -> Iterator[Diagnosis]:
    path = folder.path
    if not folder.is_writable:
        yield Diagnosis(
            name,
            Health.PROBLEM,
            _("{path} cannot be written.").format(path=path)
            if folder.exists
            else _("{path} does not exist and cannot be made.").format(path=path),
            _("Give the folder to this account, or choose another one with {name} in khien.toml.").format(
                name=name
            ),
        )
    elif not folder.exists:
        text = _("{path} does not exist yet and will be made when it is needed.").format(path=path)
        yield Diagnosis(name, Health.OK, text)
    elif folder.mode & 0o022:
        text = _("Others can write to {path}.").format(path=path)
        yield Diagnosis(name, Health.PROBLEM, text, f"chmod go-w {path}")
    elif folder.mode & 0o055:
        yield Diagnosis(
            name,
            Health.WARNING,
            _("Others can read {path}, where the weak spots of every host are listed.").format(path=path),
            f"chmod go-rx {path}",
        )
    elif name == "state_dir" and facts.uses_sqlite and folder.filesystem in _NETWORK_FILESYSTEMS:
        yield Diagnosis(
            name,
            Health.PROBLEM,
            _("{path} lies on the network ({filesystem}), where SQLite can lose what it wrote.").format(
                path=path, filesystem=folder.filesystem
            ),
            _("Choose a state_dir on a local disk, or a PostgreSQL server with store_url."),
        )
    else:
        yield Diagnosis(name, Health.OK, _("{path} can be written, by this account only.").format(path=path))


def _space(folder: FolderFacts) -> Iterator[Diagnosis]:
    free = folder.free_bytes // _MIB
    text = _("{free} MiB are free at {path}.").format(free=free, path=folder.path)
    advice = _("Free some space there: a run that cannot write its journal stops.")
    if folder.free_inodes is not None and folder.free_inodes < 1000:
        text = _("{free} files can still be made at {path}.").format(
            free=folder.free_inodes, path=folder.path
        )
        yield Diagnosis("disk_space", Health.PROBLEM, text, advice)
    elif free < 100:
        yield Diagnosis("disk_space", Health.PROBLEM, text, advice)
    elif free < 1024:
        yield Diagnosis("disk_space", Health.WARNING, text, advice)
    else:
        yield Diagnosis("disk_space", Health.OK, text)


def _store(services: ServiceFacts) -> Iterator[Diagnosis]:
    if services.store:
        yield Diagnosis(
            "store",
            Health.PROBLEM,
            _("The store cannot be used: {problem}").format(problem=services.store),
            _("Put right what it names; keep a copy of the store before you change anything in it."),
        )
    elif services.store_is_new:
        yield Diagnosis("store", Health.OK, _("There is no store yet; the first run makes it."))
    else:
        yield Diagnosis("store", Health.OK, _("The store opens and its schema is current."))


def _counted(name: str, found: int | str) -> Iterator[Diagnosis]:
    if isinstance(found, str):
        text = {
            "inventory": _("The inventory cannot be used: {problem}"),
            "controls": _("The controls cannot be used: {problem}"),
        }[name].format(problem=found)
        advice = _("Run `khien inventory check`.") if name == "inventory" else _("Put right what it names.")
        yield Diagnosis(name, Health.PROBLEM, text, advice)
    elif found == 0:
        text = {
            "inventory": _("The inventory holds no host."),
            "controls": _("There is no control to verify."),
        }[name]
        advice = {
            "inventory": _("Name one with `inventory` in khien.toml, or give it with -i."),
            "controls": _("The installation is not complete; install Khiên again."),
        }[name]
        yield Diagnosis(name, Health.PROBLEM, text, advice)
    else:
        text = {
            "inventory": ngettext("The inventory holds {n} host.", "The inventory holds {n} hosts.", found),
            "controls": ngettext("{n} control can be verified.", "{n} controls can be verified.", found),
        }[name].format(n=found)
        yield Diagnosis(name, Health.OK, text)


def _ssh(facts: InstallationFacts) -> Iterator[Diagnosis]:
    if facts.ssh:
        text = _("The SSH client is {version}.").format(version=facts.ssh)
        yield Diagnosis("ssh", Health.OK, text)
    else:
        text = _("There is no SSH client; only this machine itself can be reached.")
        advice = _("Install the package openssh-client (or openssh-clients).")
        yield Diagnosis("ssh", Health.PROBLEM, text, advice)


def _known_hosts(facts: InstallationFacts) -> Iterator[Diagnosis]:
    path = facts.known_hosts
    if not facts.known_hosts_exists:
        yield Diagnosis(
            "known_hosts",
            Health.WARNING,
            _("{path} does not exist: no host's key is known, so none is connected to.").format(path=path),
            _("Collect and confirm the keys with `khien inventory trust`."),
        )
    elif not facts.known_hosts_readable:
        text = _("{path} cannot be read.").format(path=path)
        yield Diagnosis("known_hosts", Health.PROBLEM, text, f"chmod u+r {path}")
    elif facts.known_hosts_mode & 0o022:
        text = _("Others can write to {path} and so make us trust a false host.").format(path=path)
        yield Diagnosis("known_hosts", Health.PROBLEM, text, f"chmod go-w {path}")
    else:
        yield Diagnosis("known_hosts", Health.OK, _("{path} can be read.").format(path=path))


def _configuration(facts: InstallationFacts) -> Iterator[Diagnosis]:
    for path in facts.exposed_secret_files:
        text = _("{path} holds the password of the store and others can read it.").format(path=path)
        yield Diagnosis("configuration", Health.PROBLEM, text, f"chmod go-r {path}")
    if facts.unused_environment:
        names = ", ".join(facts.unused_environment)
        yield Diagnosis(
            "configuration",
            Health.WARNING,
            _("These variables name no setting and are not used: {names}.").format(names=names),
            _("Compare them with `khien config show`."),
        )
    if not facts.exposed_secret_files and not facts.unused_environment:
        yield Diagnosis("configuration", Health.OK, _("The configuration is in order."))


def _language(facts: InstallationFacts) -> Iterator[Diagnosis]:
    if facts.missing_catalogues:
        names = ", ".join(facts.missing_catalogues)
        text = _("The texts of these languages are missing: {names}.").format(names=names)
        yield Diagnosis("language", Health.WARNING, text, _("In a checkout, run `make catalogue`."))
    else:
        yield Diagnosis("language", Health.OK, _("The texts of every language are there."))


def _terminal(facts: InstallationFacts) -> Iterator[Diagnosis]:
    if facts.encoding.lower().replace("-", "") != "utf8":
        yield Diagnosis(
            "terminal",
            Health.WARNING,
            _("The output is encoded as {encoding}, which cannot show every letter.").format(
                encoding=facts.encoding
            ),
            _("Choose a UTF-8 locale, such as LANG=C.UTF-8."),
        )
    elif facts.is_terminal and (facts.columns < 80 or facts.rows < 24):
        yield Diagnosis(
            "terminal",
            Health.WARNING,
            _("The terminal is {columns} × {rows}; the terminal UI wants 80 × 24.").format(
                columns=facts.columns, rows=facts.rows
            ),
            _("Make the window larger."),
        )
    else:
        yield Diagnosis("terminal", Health.OK, _("The output can show every letter."))


def _leftovers(services: ServiceFacts) -> Iterator[Diagnosis]:
    if services.dead_runs:
        yield Diagnosis(
            "leftovers",
            Health.WARNING,
            _("The process of these runs died: {names}.").format(names=", ".join(services.dead_runs)),
            _("`khien runs` records them as interrupted and ends what they left; then `khien run retry`."),
        )
    if services.leftover_folders:
        yield Diagnosis(
            "leftovers",
            Health.PROBLEM,
            _("A run that died left private files: {names}.").format(
                names=", ".join(map(str, services.leftover_folders))
            ),
            _("Remove them; they can hold passwords."),
        )
    if not services.dead_runs and not services.leftover_folders:
        yield Diagnosis("leftovers", Health.OK, _("No run left anything behind."))


def _clock(facts: InstallationFacts, services: ServiceFacts) -> Iterator[Diagnosis]:
    newest = max(filter(None, (_BUILT, services.newest_run)))
    if facts.now + timedelta(minutes=5) < newest:
        yield Diagnosis(
            "clock",
            Health.PROBLEM,
            _("The clock says {now}, yet something is already dated {newest}.").format(
                now=f"{facts.now:%Y-%m-%d %H:%M}Z", newest=f"{newest:%Y-%m-%d %H:%M}Z"
            ),
            _("Set the clock: ages, windows and deadlines are worked out from it."),
        )
    elif facts.clock_is_synchronised is False:
        yield Diagnosis(
            "clock",
            Health.WARNING,
            _("Nothing keeps the clock of this machine in time."),
            _("Set up chrony or systemd-timesyncd."),
        )
    else:
        yield Diagnosis("clock", Health.OK, _("The clock is plausible."))


def _version(text: str) -> tuple[int, ...]:
    parts = text.split(".")[:2]
    return tuple(map(int, parts)) if len(parts) == 2 and all(p.isdigit() for p in parts) else ()


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
