"""What the lab remembers of a host between two commands."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tests.lab.shell import run

Kind = Literal["container", "machine"]


@dataclass(frozen=True)
class Record:
    """What the lab remembers of a host."""

    name: str
    number: int
    codename: str
    user: str
    image: str
    disk_mebibytes: int
    host_key: str = ""
    kind: Kind = "container"
    memory_mebibytes: int = 0


def read_record(folder: Path) -> Record:
    """Read what is remembered of the host in a folder."""
    return Record(**json.loads((folder / "host.json").read_text()))


def new_host(folder: Path, record: Record) -> None:
    """Make the folder of a host, with an SSH key of its own."""
    key = folder / "key"
    if not key.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", record.name, "-f", key])
    words = asdict(record) | {"host_key": key.read_text()}
    (folder / "host.json").touch(mode=0o600)
    (folder / "host.json").write_text(json.dumps(words))


def public_host_key(folder: Path) -> str:
    """Return the public key that a host shows."""
    return " ".join((folder / "key.pub").read_text().split()[:2])
