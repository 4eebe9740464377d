"""One running instance of the lab."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.container import Container
from tests.lab.errors import LabError
from tests.lab.host import Host
from tests.lab.images import find_mirror, image
from tests.lab.inventory import write_inventory
from tests.lab.machine import Machine, machine_obstacle
from tests.lab.mirror import proxy
from tests.lab.network import Network
from tests.lab.processes import Process, from_text
from tests.lab.record import Kind, Record, new_host, public_host_key, read_record
from tests.lab.repository import Repository, apt_sources
from tests.lab.settings import Settings
from tests.lab.shell import run
from tests.lab.trees import MARKER, make_tree, mounts_below, remove_tree

_SHORT: Mapping[tuple[Kind, str], str] = {
    ("container", "bookworm"): "d12",
    ("container", "trixie"): "d13",
    ("machine", "bookworm"): "v12",
    ("machine", "trixie"): "v13",
}
_ROOT_LOGINS = (5, 0)


class Lab:
    """The hosts, the network, the mirror and the repository of one instance."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = settings.folder
        known = json.loads((self.folder / "instance.json").read_text())
        self.network = Network(int(known["index"]))
        self.key = self.folder / "key"
        self.known_hosts = self.folder / "known_hosts"
        self.repository = Repository(self.folder / "repository")
        self._mirror = known["mirror"]

    @property
    def hosts(self) -> list[Host]:
        """All hosts by number."""
        folders = [file.parent for file in self.folder.glob("hosts/*/host.json")]
        return sorted((self._host(folder) for folder in folders), key=lambda host: host.record.number)

    def host(self, name: str) -> Host:
        """Return a host by name."""
        return self._host(self.folder / "hosts" / name)

    def add_hosts(self, codenames: Iterable[str], kind: Kind = "container") -> list[Host]:
        """Boot new hosts and wait until they let people in."""
        wanted = list(codenames)
        if wanted and kind == "machine" and (reason := machine_obstacle()):
            raise LabError(reason)
        mirror, kernel = find_mirror(), kind == "machine"
        images = {
            name: image(name, self.settings.cache, mirror, kernel=kernel) for name in sorted(set(wanted))
        }
        taken = {host.record.number for host in self.hosts}
        numbers = (number for number in range(1, 250) if number not in taken)
        made = [self._new(next(numbers), codename, images[codename], kind) for codename in wanted]
        self._announce()
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda host: host.power_on(wait=False), made))
        for host in made:
            host.wait_ready()
        return made

    def fresh_hosts(self, *codenames: str) -> list[Host]:
        """Boot hosts as freshly installed."""
        return self.add_hosts(codenames)

    def fresh_host(self, codename: str = "bookworm") -> Host:
        """Boot one host as freshly installed."""
        return self.add_hosts([codename])[0]

    def fresh_machines(self, *codenames: str) -> list[Host]:
        """Boot hosts as freshly installed, each with a kernel of its own."""
        return self.add_hosts(codenames, "machine")

    def give_back(self, hosts: Iterable[Host]) -> None:
        """Take hosts away again."""
        for host in hosts:
            self.remove(host)
        self._announce()

    def remove(self, host: Host) -> None:
        """Take one host away with all it used."""
        host.power_off()
        host.remove_disk()
        self.network.unplug(host.record.number)
        remove_tree(host.folder, self.settings.state_root)

    def inventory_of(self, hosts: Iterable[Host], folder: Path) -> Path:
        """Write an inventory of some hosts."""
        return write_inventory(hosts, folder, self.key, self.known_hosts)

    def processes(self) -> list[Process]:
        """Return the servers of this instance."""
        found = []
        for name in ("cache.pid", "repository/server.pid"):
            file = self.folder / name
            process = from_text(file.read_text()) if file.exists() else None
            if process is not None:
                found.append(process)
        return found

    def leftovers(self) -> list[str]:
        """Return what of this instance is still there."""
        found = [f"process {process.pid}" for process in self.processes() if process.is_alive]
        found += [f"mount {point}" for point in mounts_below(self.folder)]
        if Path(f"/sys/class/net/{self.network.bridge}").exists():
            found.append(f"bridge {self.network.bridge}")
        return found

    def _new(self, number: int, codename: str, base: Path, kind: Kind) -> Host:
        user = "root" if number % 10 in _ROOT_LOGINS else "automation"
        name = f"{_SHORT[kind, codename]}-{number:02}"
        folder = make_tree(self.folder / "hosts" / name)
        disk, memory = self.settings.disk_mebibytes, self.settings.memory_mebibytes
        new_host(
            folder,
            Record(name, number, codename, user, str(base), disk, kind=kind, memory_mebibytes=memory),
        )
        if kind == "machine":
            self.network.plug_machine(number)
        else:
            self.network.plug(number)
        return self._host(folder)

    def _host(self, folder: Path) -> Host:
        made_of = Machine if read_record(folder).kind == "machine" else Container
        return made_of(folder, self.network, self.key, self.known_hosts, self._sources)

    def _sources(self, what: str) -> str:
        match what:
            case "own":
                return apt_sources(self.network)
            case "key":
                return self.repository.public_key
            case "options":
                own = f"Acquire::http::Proxy::{self.network.gateway} DIRECT;\n".replace(
                    " DIRECT", ' "DIRECT"'
                )
                return (
                    f'Acquire::http::Proxy "{proxy(self.network)}";\n{own}'
                    'Acquire::Check-Valid-Until "false";\nAcquire::Languages "none";\n'
                )
            case codename:
                main, security = self._mirror["main"], self._mirror["security"]
                return f"deb {main} {codename} main\ndeb {security} {codename}-security main\n"

    def _announce(self) -> None:
        """Bring the key, the known hosts and the inventory that people use up to date."""
        hosts = self.hosts
        lines = [f"{host.address} {public_host_key(host.folder)}\n" for host in hosts]
        self.known_hosts.write_text("".join(lines))
        if self.settings.name.startswith("test-"):
            return
        public = self.settings.public
        public.mkdir(parents=True, exist_ok=True)
        for source in (self.key, self.key.with_suffix(".pub"), self.known_hosts):
            run(["install", "-m", "600", source, public / source.name])
        write_inventory(hosts, public / "inventory", public / "key", public / "known_hosts")


def is_instance(folder: Path) -> bool:
    """Whether a folder is that of an instance that the lab made."""
    return (folder / MARKER).is_file() and (folder / "instance.json").is_file()
