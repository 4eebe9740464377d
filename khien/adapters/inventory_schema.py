"""The words of an inventory and what each may say; finds every word that says something else."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from khien.application.check_inventory import HostDefinition, Problem, Severity, VariableDefinition
from khien.application.wording import N_
from khien.domain.names import is_host_name
from khien.domain.text import safe_text
from khien.i18n import _

_SLUG = re.compile(r"[a-z0-9][a-z0-9_]*")
_SECRET = re.compile(
    r"ansible_(?:\w+_)?(?:pass|password|passphrase|passwd|secret|token)|ansible_(?:ssh_)?private_key"
)
_LONGEST = 200


def schema_problems(
    hosts: Sequence[HostDefinition], variables: Sequence[VariableDefinition]
) -> tuple[Problem, ...]:
    """Return what is wrong with the words of an inventory."""
    judged = dict.fromkeys(problem for variable in variables for problem in _judge(variable))
    return (
        *_bad_names(hosts),
        *judged,
        *_moved_hosts(variables),
        *_shared_addresses(variables),
    )


def _bad_names(hosts: Sequence[HostDefinition]) -> Iterator[Problem]:
    for name, place in {host.name: host.place for host in reversed(hosts)}.items():
        if not is_host_name(name):
            yield Problem(
                place,
                _(
                    "{name} is no host name: expected are letters of a to z, digits, dots, hyphens and "
                    "underscores, with a letter or digit at both ends."
                ).format(name=safe_text(name)),
            )


def _judge(variable: VariableDefinition) -> Iterator[Problem]:
    if _SECRET.fullmatch(variable.name):
        yield from _clear_text(variable)
    elif variable.name == "ansible_ssh_private_key_file":
        yield from _key_file(variable)
    elif variable.name in _RULES:
        yield from _word(variable)
    elif variable.name.startswith("khien_"):
        words = [name.removeprefix("khien_") for name in _RULES if name.startswith("khien_")]
        close = difflib.get_close_matches(variable.name.removeprefix("khien_"), words, n=1)
        expected = ", ".join(f"khien_{word}" for word in close or words)
        yield Problem(
            variable.place,
            _("{word} is no word of the inventory; expected is {expected}.").format(
                word=safe_text(variable.name), expected=expected
            ),
        )


def _word(variable: VariableDefinition) -> Iterator[Problem]:
    is_fine, expected = _RULES[variable.name]
    value = variable.value
    is_template = isinstance(value, str) and not variable.is_unsafe and ("{{" in value or "{%" in value)
    if is_template and not variable.name.startswith("khien_"):
        return
    if variable.is_vaulted or is_template or not is_fine(value):
        said = safe_text(value, 80)
        if variable.is_vaulted:
            said = _("something encrypted")
        elif isinstance(value, (list, dict)):
            said = _("a list or a mapping")
        yield Problem(
            variable.place,
            _("{word} says {value}; expected is {expected}.").format(
                word=variable.name, value=said, expected=_(expected)
            ),
        )


def _clear_text(variable: VariableDefinition) -> Iterator[Problem]:
    value = variable.value
    if variable.is_vaulted or value is None or value == "":
        return
    if isinstance(value, dict) or (isinstance(value, str) and "{{" in value and not variable.is_unsafe):
        return
    yield Problem(
        variable.place,
        _(
            "{word} holds a secret in clear text: encrypt it with `ansible-vault encrypt_string`, or leave "
            "it out and give it at the start with -k or -K."
        ).format(word=variable.name),
    )


def _key_file(variable: VariableDefinition) -> Iterator[Problem]:
    if not isinstance(variable.value, str) or "{{" in variable.value:
        return
    path = Path(variable.value).expanduser()
    if not path.is_absolute():
        return
    try:
        mode = path.stat().st_mode
    except OSError:
        yield Problem(
            variable.place,
            _("There is no key file {path} on this machine.").format(path=safe_text(path)),
            Severity.WARNING,
        )
        return
    if mode & 0o077:
        yield Problem(
            variable.place,
            _("Others may read the key file {path}, so ssh will not use it: run `chmod 600` on it.").format(
                path=safe_text(path)
            ),
            Severity.WARNING,
        )


def _moved_hosts(variables: Sequence[VariableDefinition]) -> Iterator[Problem]:
    first: dict[str, VariableDefinition] = {}
    for variable in variables:
        if variable.name != "ansible_host" or not variable.is_of_host:
            continue
        before = first.setdefault(variable.owner, variable)
        if before.value != variable.value:
            yield Problem(
                variable.place,
                _("{host} has the address {address} here and {other} in {place}.").format(
                    host=safe_text(variable.owner),
                    address=safe_text(variable.value),
                    other=safe_text(before.value),
                    place=before.place,
                ),
            )


def _shared_addresses(variables: Sequence[VariableDefinition]) -> Iterator[Problem]:
    ports = {v.owner: str(v.value) for v in variables if v.name == "ansible_port" and v.is_of_host}
    first: dict[tuple[str, str], VariableDefinition] = {}
    for variable in variables:
        if variable.name != "ansible_host" or not variable.is_of_host or not isinstance(variable.value, str):
            continue
        before = first.setdefault((variable.value, ports.get(variable.owner, "")), variable)
        if before.owner != variable.owner:
            yield Problem(
                variable.place,
                _("{host} has the same address as {other} in {place}.").format(
                    host=safe_text(variable.owner), other=safe_text(before.owner), place=before.place
                ),
                Severity.WARNING,
            )


def _is_level(value: object) -> bool:
    return not isinstance(value, bool) and str(value) in {"1", "2", "3", "4", "5"}


def _is_text(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and 0 < len(str(value)) <= _LONGEST


def _is_port(value: object) -> bool:
    return str(value).isdigit() and 0 < int(str(value)) < 65536


_TEXT = N_("a text of one line")
_RULES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "khien_agency": (
        lambda value: isinstance(value, str) and bool(_SLUG.fullmatch(value)),
        N_("small letters of a to z, digits and underscores, such as so_y_te"),
    ),
    "khien_agency_name": (_is_text, _TEXT),
    "khien_site": (_is_text, _TEXT),
    "khien_role": (lambda value: value in ("server", "workstation"), N_("server or workstation")),
    "khien_level": (_is_level, N_("a number from 1 to 5")),
    "khien_owner": (_is_text, _TEXT),
    "khien_window": (_is_text, _TEXT),
    "ansible_host": (
        lambda value: isinstance(value, str) and is_host_name(value),
        N_("an IP address or a name"),
    ),
    "ansible_port": (_is_port, N_("a number from 1 to 65535")),
}
