"""The lab's package cache, which is to hosts what an agency's internal mirror is."""

from pathlib import Path

from tests.lab.network import Network
from tests.lab.processes import Process, start_detached
from tests.lab.waiting import wait_listening

PORT = 3142


def start_cache(folder: Path, storage: Path, network: Network) -> Process:
    """Start apt-cacher-ng with a configuration of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    storage.mkdir(parents=True, exist_ok=True)
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    (folder / "acng.conf").write_text(
        f"CacheDir: {storage}\nLogDir: {logs}\nBindAddress: {network.gateway}\nPort: {PORT}\nForeGround: 1\n"
    )
    process = start_detached(["apt-cacher-ng", "-c", folder], folder / "cache.log")
    wait_listening(network.gateway, PORT, process, folder / "cache.log")
    return process


def proxy(network: Network) -> str:
    """Return the address that hosts use as their proxy."""
    return f"http://{network.gateway}:{PORT}"
