"""The register of resource kinds: the word a role uses, and the class that understands it."""

from __future__ import annotations

from typing import Any, Mapping

from ..resource import BadWordsError, Resource
from .absent import Absent
from .account import Account
from .ensure import Ensure
from .file import File
from .firewall import Firewall
from .mount import Mount
from .package import Package
from .permissions import Permissions
from .setting import Setting
from .sysctl import Sysctl
from .unit import Unit
from .units_off import UnitsOff

KINDS: Mapping[str, type[Resource]] = {
    one.kind: one
    for one in (
        *(Absent, Account, Ensure, File, Firewall, Mount, Package, Permissions, Setting, Sysctl),
        *(Unit, UnitsOff),
    )
}


def resource(words: Mapping[str, Any]) -> Resource:
    """Return the resource that words describe.

    Raises:
        BadWordsError: they describe none.
    """
    kind = words.get("kind")
    if kind not in KINDS:
        raise BadWordsError("there is no kind of resource called %s" % kind)
    return KINDS[kind](words)
