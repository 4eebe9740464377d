"""The probe about what a host says to people before and after they log in."""

from __future__ import annotations

import re
from typing import Any, Optional

from .facts import os_release
from .machine import Machine

# What agetty fills in about kernel, machine and version; host name, line, date and time give nothing away.
_TELLING = re.compile(r"\\[srmvoS](?:\{[^}]*\})?")
_ESCAPE = re.compile(r"\\[A-Za-z0-9](?:\{[^}]*\})?")


def banner(machine: Machine, path: str) -> Optional[dict[str, Any]]:
    """Return how many letters a banner has, and what it tells about the system; None: no such file."""
    text = machine.text(path)
    if text is None:
        return None
    folder = path + ".d"
    parts = [text, *(machine.text(part) or "" for part in machine.matching(folder + "/*.issue"))]
    whole = "\n".join(parts)
    telling = set(_TELLING.findall(whole))
    name = os_release(machine).get("NAME", "").split(" ")[0]
    if name and re.search(r"\b%s\b" % re.escape(name), whole, re.IGNORECASE):
        telling.add(name)
    return {"letters": sum(map(str.isalpha, _ESCAPE.sub("", whole))), "tells": sorted(telling)}
