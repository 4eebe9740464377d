"""Where playbooks, roles, plugins and levels lie: beside the package, or inside it when installed."""

from __future__ import annotations

from pathlib import Path

import yaml

from khien.domain.run import Verb

_PACKAGE = Path(__file__).parents[1]


def content_root() -> Path:
    """Return the folder that holds ansible.cfg, playbooks/, roles/, plugins/ and compliance/."""
    checkout = _PACKAGE.parent
    return checkout if (checkout / "ansible.cfg").is_file() else _PACKAGE / "content"


def playbook(verb: Verb) -> Path:
    """Return the playbook of a verb."""
    return content_root() / "playbooks" / f"{verb.value}.yml"


def hardening_roles() -> frozenset[str]:
    """Return the roles that hardening consists of, as its playbook lists them."""
    plays = yaml.load(playbook(Verb.HARDEN).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return frozenset(entry["role"] for play in plays for entry in play["roles"])


def default_inventory() -> Path:
    """Return the inventory that holds this machine only."""
    return content_root() / "inventory" / "local"
