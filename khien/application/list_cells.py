"""Reads the cells of host lists: names, addresses, levels and roles as people write them."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass

from khien.domain.host import HostRole
from khien.domain.names import is_address, is_host_name, slug, without_accents
from khien.domain.text import safe_text
from khien.i18n import _

_NO_ADDRESS = frozenset(
    ("dhcp", "n a", "na", "khong", "khong co", "chua co", "chua cap", "dong", "ip dong", "none", "auto")
)
_ASIDE = re.compile(r"\([^)]*\)")
_NETWORK = re.compile(r"(?<=\d)/\d{1,2}\b")
_SEPARATORS = re.compile(r"[\s,;|/&+]+")
_SERVER = re.compile(r"\b(may chu|server|srv|may ao|vm)\b")
_WORKSTATION = re.compile(
    r"\b(may tram|workstation|pc|laptop|desktop|client|may tinh|may ban|may xach tay|may vi tinh|notebook)\b"
)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_LEVEL = re.compile(r"(?:cap do |cap |level |muc )?(\d+|[iv]+)(?: .*)?")


class RefusedCellError(Exception):
    """A cell says nothing usable; the message says why."""


@dataclass(frozen=True, slots=True)
class DialledAddress:
    """Where a machine is dialled."""

    address: str = ""
    """Empty when the list gives none."""
    port: int | None = None
    others: tuple[str, ...] = ()
    """Further addresses of the same cell."""


def read_address(text: str) -> DialledAddress:
    """Read a cell of addresses; the first one is dialled.

    Raises:
        RefusedCellError: something in it is no address, or none that a host can have.
    """
    plain = _NETWORK.sub("", _ASIDE.sub(" ", unicodedata.normalize("NFKC", text))).strip()
    if slug(plain, " ") in _NO_ADDRESS or not slug(plain):
        return DialledAddress()
    found = [_one_address(word) for word in _SEPARATORS.split(plain) if word]
    first, port = found[0]
    return DialledAddress(first, port, tuple(address for address, _port in found[1:] if address != first))


def _one_address(word: str) -> tuple[str, int | None]:
    name, colon, port = word.partition(":") if word.count(":") == 1 else (word, "", "")
    if colon and not (port.isdigit() and 0 < int(port) < 65536):
        raise RefusedCellError(_("{text} is no address.").format(text=safe_text(word, 60)))
    if not is_address(name):
        if "." not in name or not is_host_name(name):
            raise RefusedCellError(_("{text} is no address.").format(text=safe_text(word, 60)))
        return name, int(port) if port else None
    address = ipaddress.ip_address(name)
    if address.is_loopback or address.is_multicast or address.is_unspecified or name == "255.255.255.255":
        raise RefusedCellError(_("{text} is no address that a host can have.").format(text=name))
    return str(address), int(port) if port else None


def read_name(text: str, address: str) -> str:
    """Return the name for the inventory: the listed one, as near as names allow; else the address.

    Raises:
        RefusedCellError: nothing is left of it, or it cannot be dialled and there is no address.
    """
    listed = unicodedata.normalize("NFKC", text).strip()
    if not listed:
        if not address:
            raise RefusedCellError(_("There is neither a name nor an address."))
        return address
    if is_host_name(listed):
        return listed
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", without_accents(listed)).strip("-._")
    if not is_host_name(name):
        raise RefusedCellError(_("{text} cannot be made into a host name.").format(text=safe_text(text, 60)))
    if not address:
        raise RefusedCellError(
            _("There is no address, and {text} cannot be dialled.").format(text=safe_text(text, 60))
        )
    return name


def read_level(text: str) -> int | None:
    """Read a security level, in digits or Roman numbers.

    Raises:
        RefusedCellError: it is none from 1 to 5.
    """
    words = slug(text, " ")
    if not words:
        return None
    match = _LEVEL.fullmatch(words)
    level = (_ROMAN.get(match[1]) or (int(match[1]) if match[1].isdigit() else None)) if match else None
    if level is None or not 1 <= level <= 5:
        raise RefusedCellError(
            _("The level is {text}; expected is a number from 1 to 5.").format(text=safe_text(text, 60))
        )
    return level


def read_role(text: str) -> HostRole | None:
    """Read whether it is a server or a workstation.

    Raises:
        RefusedCellError: it is something else, such as a printer.
    """
    words = slug(text, " ")
    if not words:
        return None
    if _SERVER.search(words):
        return HostRole.SERVER
    if _WORKSTATION.search(words):
        return HostRole.WORKSTATION
    raise RefusedCellError(
        _("{text} is neither a server nor a workstation.").format(text=safe_text(text, 60))
    )


def role_of_system(system: str) -> HostRole | None:
    """Guess the role from the operating system, where its name tells."""
    words = slug(system, " ")
    if "server" in words.split():
        return HostRole.SERVER
    return HostRole.WORKSTATION if re.search(r"\bwin(dows)? ?(xp|vista|7|8|10|11)\b", words) else None


def is_windows(system: str) -> bool:
    """Whether the operating system is a Windows."""
    return re.match(r"(microsoft )?win(dows)?\b|win\d", slug(system, " ")) is not None


def read_port(text: str) -> int | None:
    """Read a port.

    Raises:
        RefusedCellError: it is none.
    """
    if not text:
        return None
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise RefusedCellError(_("{text} is no port.").format(text=safe_text(text, 60)))
    return int(text)
