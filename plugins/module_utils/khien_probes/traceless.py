"""Runs commands that write caches, locks and logs while they answer: what they write is forgotten.

As root, rpm and dnf touch their databases and logs even to answer a question. So they get the folders
concerned as overlays in memory, in a mount namespace of their own that ends with them.
"""

from __future__ import annotations

from .machine import Machine, NoAnswerError

_IMPOSSIBLE = 97
_SCRIPT = """\
mount -t tmpfs khien /tmp || exit 97
for place in /var/log /var/cache/dnf /var/cache/libdnf5 /var/lib/dnf /var/lib/rpm /usr/lib/sysimage/rpm; do
  [ -d "$place" ] || continue
  number=$((number + 1))
  new=/tmp/$number
  mkdir -p $new/upper $new/work
  mount -t overlay khien -o "lowerdir=$place,upperdir=$new/upper,workdir=$new/work" "$place" || exit 97
done
exec "$@"
"""


def run_without_trace(machine: Machine, *words: str, limit: float = 20.0) -> tuple[int, str]:
    """Run a command so that nothing it writes stays; return its exit code and output."""
    if not machine.privileged:
        return machine.run(words, limit)  # an ordinary user cannot write there anyway
    code, output = machine.run(["unshare", "--mount", "sh", "-c", _SCRIPT, "khien", *words], limit)
    if code == _IMPOSSIBLE or output.startswith("unshare:"):
        raise NoAnswerError(
            "%s cannot be asked without leaving traces: %s" % (words[0], output.strip()[-200:])
        )
    return code, output
