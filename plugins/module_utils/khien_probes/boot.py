"""Probe about the boot loader."""

from __future__ import annotations

from typing import Optional

from .machine import Machine

_MENUS = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")
_PASSWORD_FILES = ("/boot/grub2/user.cfg",)


def boot_password(machine: Machine) -> Optional[dict[str, bool]]:
    """Return whether the boot menu asks for a password before it is changed, or nothing."""
    menus = [menu for menu in _MENUS if machine.exists(menu)]
    if not menus:
        return None
    lines = [line.split() for menu in menus for line in machine.lines(menu)]
    hashed = any(words[0] in ("password", "password_pbkdf2") and "${" not in words[-1] for words in lines)
    # On RHEL-like systems the menu takes the hash from a file of its own.
    own = any(
        line.startswith("GRUB2_PASSWORD=grub.pbkdf2")
        for file in _PASSWORD_FILES
        for line in machine.lines(file)
    )
    names_users = any(words[0] == "set" and words[-1].startswith("superusers=") for words in lines)
    return {"password": names_users and (hashed or own)}
