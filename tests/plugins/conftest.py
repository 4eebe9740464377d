"""Lets tests import module_utils the way Ansible ships them to a host."""

from pathlib import Path

import ansible.module_utils

_OWN = str(Path(__file__).parents[2] / "plugins" / "module_utils")
if _OWN not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(_OWN)
