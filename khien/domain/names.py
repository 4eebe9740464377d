"""Which names hosts and agencies may have, and how other text is made into one."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_NUMBERS = re.compile(r"[0-9.]+")


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_host_name(name: str) -> bool:
    """Whether inventories, files and name services all take it; an address is a name, too."""
    if "." in name and _NUMBERS.fullmatch(name):
        # Numbers with dots that are no address are a typing error, never a name.
        return is_address(name)
    return _HOST.fullmatch(name) is not None or is_address(name)


def without_accents(text: str) -> str:
    """Return the text in plain letters: Sở Y tế becomes So Y te."""
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def slug(text: str, separator: str = "_") -> str:
    """Return small letters and digits with separators between: Sở Y tế becomes so_y_te."""
    return separator.join(re.findall(r"[a-z0-9]+", without_accents(text).lower()))
