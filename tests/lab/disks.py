"""What lies on a host's disk, to the letter: for proofs that nothing changed, or that all came back."""

from __future__ import annotations

from tests.lab.host import Host

_SCRIPT = """
import base64, hashlib, os, stat, sys
for top in sys.argv[1:]:
    for base, folders, files in os.walk(top):
        for name in sorted(folders + files):
            path = os.path.join(base, name)
            found = os.lstat(path)
            what = ""
            if stat.S_ISLNK(found.st_mode):
                what = os.readlink(path)
            elif stat.S_ISREG(found.st_mode):
                with open(path, "rb") as stream:
                    what = hashlib.sha256(stream.read()).hexdigest()
            attributes = {}
            if not stat.S_ISLNK(found.st_mode):
                attributes = {n: base64.b64encode(os.getxattr(path, n)).decode() for n in os.listxattr(path)}
            print("%s\\t%o %d:%d %s %s" % (path, found.st_mode, found.st_uid, found.st_gid, what, attributes))
"""
# What packages and logins write by themselves when something is installed and removed again.
_ALWAYS_MOVING = (
    "/etc/ld.so.cache",
    "/etc/passwd-",
    "/etc/shadow-",
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/subuid-",
    "/etc/subgid-",
    "/etc/.pwd.lock",
)


def files_below(host: Host, *folders: str) -> dict[str, str]:
    """Return what every path below some folders is: type, mode, owner, content or target, attributes."""
    out = host.exec(["python3", "-c", _SCRIPT, *folders]).stdout
    rows = (line.split("\t", 1) for line in out.splitlines())
    return {path: words for path, words in rows if path not in _ALWAYS_MOVING}
