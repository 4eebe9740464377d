#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Disarms the lock-out guard of a task: that this module runs at all proves that the host can be reached."""

from __future__ import annotations

DOCUMENTATION = r"""
module: khien_guard
short_description: Disarm the lock-out guard of a hardening task
description:
  - Called by the action plugins of khien_state and khien_undo over a fresh login. Tells what became of the
    guard - C(disarmed), C(reverted) with the report of the revert, or C(none).
version_added: "0.2.0"
author: Khiên contributors
options:
  name:
    description: The guard's name; empty, the last one of this run and area.
    type: str
    default: ""
  run:
    description: The run that armed it.
    type: str
    required: true
  area:
    description: The area whose task armed it.
    type: str
    required: true
attributes:
  check_mode:
    support: none
    description: In check mode no guard is armed.
  diff_mode:
    support: none
    description: Nothing to show.
"""

EXAMPLES = r"""
- name: Say that the host can still be reached
  khien_guard:
    run: 20261125-021500-abcd
    area: sshd
"""

RETURN = r"""
guard:
  description: The guard's state, its report, and the result of the task that armed it.
  returned: success
  type: dict
  sample: {state: disarmed}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.khien_state.guard import disarm, find
from ansible.module_utils.khien_state.system import ApplyError, System


def main() -> None:
    """Disarm it, print what became of it."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "default": ""},
            "run": {"type": "str", "required": True},
            "area": {"type": "str", "required": True},
        },
    )
    system = System()
    try:
        name = module.params["name"] or find(system, module.params["run"], module.params["area"])
        order = disarm(system, name) if name else {"state": "none"}
    except (ApplyError, OSError, ValueError) as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(changed=False, guard=order)


if __name__ == "__main__":
    main()
