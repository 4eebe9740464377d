"""Turns what ansible-inventory prints into hosts, and keeps secrets out of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from khien.domain.host import Host, HostRole
from khien.errors import UsageError
from khien.i18n import _

# The variables that say how a host is reached. An allow-list: passwords and vaulted values never pass.
CONNECTION_VARIABLES = frozenset(
    {
        "ansible_become",
        "ansible_become_method",
        "ansible_become_user",
        "ansible_connection",
        "ansible_host",
        "ansible_port",
        "ansible_python_interpreter",
        "ansible_ssh_common_args",
        "ansible_ssh_extra_args",
        "ansible_ssh_private_key_file",
        "ansible_user",
    }
)
# Older spellings that Ansible still honours.
_ALIASES = {
    "ansible_ssh_host": "ansible_host",
    "ansible_ssh_port": "ansible_port",
    "ansible_ssh_user": "ansible_user",
    "ansible_private_key_file": "ansible_ssh_private_key_file",
}
_WORDS = {
    "agency": "khien_agency",
    "agency_name": "khien_agency_name",
    "site": "khien_site",
    "owner": "khien_owner",
    "window": "khien_window",
}


def hosts_of_listing(listing: Mapping[str, Any]) -> tuple[Host, ...]:
    """Return the hosts of `ansible-inventory --list`, sorted by name.

    Raises:
        UsageError: a khien_* variable of a host has an impossible value.
    """
    hostvars: Mapping[str, Mapping[str, object]] = listing.get("_meta", {}).get("hostvars", {})
    groups = _groups_by_host(listing)
    names = sorted({*hostvars, *groups})
    return tuple(_host(name, _plain(hostvars.get(name, {})), groups.get(name, ())) for name in names)


def _plain(variables: Mapping[str, object]) -> Mapping[str, object]:
    """Unwrap text that the inventory marks as !unsafe; anything vaulted stays wrapped, and so unusable."""
    return {
        name: value["__ansible_unsafe"] if isinstance(value, dict) and "__ansible_unsafe" in value else value
        for name, value in variables.items()
    }


def _groups_by_host(listing: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    parents: dict[str, set[str]] = {}
    for name, group in listing.items():
        for child in () if name == "_meta" else group.get("children", ()):
            parents.setdefault(child, set()).add(name)

    def with_ancestors(name: str) -> set[str]:
        found, waiting = set(), [name]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting.extend(parents.get(current, ()))
        return found

    groups: dict[str, set[str]] = {}
    for name, group in listing.items():
        if name == "_meta":
            continue
        family = with_ancestors(name) - {"all", "ungrouped"}
        for host in group.get("hosts", ()):
            groups.setdefault(host, set()).update(family)
    return {host: tuple(sorted(names)) for host, names in groups.items()}


def _host(name: str, variables: Mapping[str, object], groups: Iterable[str]) -> Host:
    words = {field: _text(variables.get(variable)) for field, variable in _WORDS.items()}
    return Host(
        name=name,
        role=_role(name, variables.get("khien_role")),
        level=_level(name, variables.get("khien_level")),
        groups=tuple(groups),
        connection=_connection(variables),
        **words,
    )


def _connection(variables: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in variables.items():
        target = _ALIASES.get(name, name)
        # A vaulted value arrives as a mapping; what matters for a connection is always a plain scalar.
        if target not in CONNECTION_VARIABLES or not isinstance(value, (str, int, bool)):
            continue
        if name == target or target not in variables:
            found[target] = value
    return dict(sorted(found.items()))


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _role(host: str, value: object) -> HostRole:
    if value is None or value == "":
        return HostRole.SERVER
    try:
        return HostRole(str(value))
    except ValueError as exc:
        raise _bad_word(host, "khien_role", _("server or workstation"), value) from exc


def _level(host: str, value: object) -> int | None:
    if value is None or value == "":
        return None
    text = str(value)
    if isinstance(value, bool) or text not in {"1", "2", "3", "4", "5"}:
        raise _bad_word(host, "khien_level", _("a number from 1 to 5"), value)
    return int(text)


def _bad_word(host: str, variable: str, expected: str, value: object) -> UsageError:
    return UsageError(
        _(
            "The inventory says {variable}: {value} for {host}; expected is {expected}. "
            "`khien inventory check` names the file and the line."
        ).format(variable=variable, value=_text(value)[:80], host=host, expected=expected)
    )
