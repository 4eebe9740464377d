"""Base images: Debian without its security updates, so that new hosts have real ones waiting."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.settings import locked
from tests.lab.shell import run
from tests.lab.trees import make_tree, remove_tree

_COMMON = (
    "systemd,systemd-sysv,dbus,openssh-server,python3,sudo,iproute2,ca-certificates,procps,cron,nftables,gpgv"
)
_MORE = {"bookworm": ",needrestart", "trixie": ",nginx"}
# Asked for by name: a kernel alone brings no udev, and minbase has no initramfs-tools.
_KERNEL = ",linux-image-cloud-amd64,initramfs-tools,zstd,udev,kmod"
_FORM = "2"


@dataclass(frozen=True)
class Mirror:
    """Where this machine gets Debian from; read from its own apt, never written down."""

    main: str
    security: str


def find_mirror() -> Mirror:
    """Read the mirror from this machine's apt."""
    form = "$(REPO_URI) $(RELEASE)"
    text = run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).stdout
    rows = [line.split() for line in text.splitlines() if len(line.split()) == 2]
    security = [uri for uri, release in rows if release.endswith("-security")]
    main = [uri for uri, release in rows if "security" not in uri and "-" not in release]
    if not main:
        raise LabError("this machine's apt has no package lists: run apt-get update")
    return Mirror(main[0].rstrip("/"), (security or [f"{main[0].rstrip('/')}-security"])[0].rstrip("/"))


def image(codename: str, cache: Path, mirror: Mirror, *, kernel: bool = False) -> Path:
    """Return the base image of a Debian release, making it when it is missing."""
    packages = _COMMON + _MORE[codename] + (_KERNEL if kernel else "")
    mark = hashlib.sha256(f"{_FORM} {codename} {packages}".encode()).hexdigest()[:12]
    path = cache / "images" / f"{codename}-{mark}"
    with locked(path.with_suffix(".lock")):
        if not path.is_dir():
            _build(codename, packages, mirror, path)
    return path


def _build(codename: str, packages: str, mirror: Mirror, path: Path) -> None:
    # Built beside its place and renamed: an image is there whole or not at all.
    unfinished = make_tree(Path(tempfile.mkdtemp(prefix=f"building-{codename}-", dir=path.parent)).resolve())
    root = unfinished / "root"
    try:
        run(
            [
                # What a killed build has mounted goes with its namespace.
                *("unshare", "--mount", "mmdebstrap"),
                "--variant=minbase",
                f"--include={packages}",
                "--customize-hook=rm -f $1/etc/ssh/ssh_host_* $1/etc/machine-id",
                "--customize-hook=touch $1/etc/machine-id",
                codename,
                root,
                f"deb {mirror.main} {codename} main",
            ],
            timeout=1800,
        )
        root.rename(path)
    finally:
        remove_tree(unfinished, path.parent)
