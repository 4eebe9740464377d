#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Takes back on a Linux host what a hardening run changed there."""

from __future__ import annotations

DOCUMENTATION = r"""
module: khien_undo
short_description: Put back what a hardening run changed
description:
  - Reads the checkpoint that the run left on the host and puts back what is still as the run left it.
  - What somebody changed since is refused, thing by thing, unless forced.
version_added: "0.2.0"
author: Khiên contributors
options:
  of:
    description: The run whose changes are taken back.
    type: str
    required: true
  run:
    description: The run that does it; its own checkpoint lets undo be undone. The action plugin fills it in.
    type: str
    required: true
  force:
    description: Put back even what was changed since.
    type: bool
    default: false
  guard_seconds:
    description: Time until the armed revert takes the undo back.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
    description: Says what would be put back and what would be refused.
  diff_mode:
    support: none
    description: The result tells every thing.
"""

EXAMPLES = r"""
- name: Take the hardening of a run back
  khien_undo:
    of: 20261125-021500-abcd
"""

RETURN = r"""
khien:
  description: What was put back, what was refused and why.
  returned: always
  type: dict
  sample: {schema: khien.undo/1, stage: applied, restored: [], refused: []}
"""

import sys

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.khien_state.guard import arm, note
from ansible.module_utils.khien_state.system import ApplyError, System
from ansible.module_utils.khien_state.undo import undo


def main() -> None:
    """Put back or say what would be, print it."""
    module = AnsibleModule(
        argument_spec={
            "of": {"type": "str", "required": True},
            "run": {"type": "str", "required": True},
            "force": {"type": "bool", "default": False},
            "guard_seconds": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    words = module.params
    system = System()
    try:
        result = undo(
            system,
            of=words["of"],
            run=words["run"],
            force=words["force"],
            dry=module.check_mode,
            arm=lambda checkpoint: arm(system, checkpoint, words["guard_seconds"], sys.executable),
        )
    except (ApplyError, OSError) as problem:
        module.fail_json(msg=str(problem))
    if result["guard"]["id"]:
        result["guard"]["seconds"] = words["guard_seconds"]
        note(system, result["guard"]["id"], result)
    answer = {"changed": bool(result["restored"]), "khien": result}
    if result["problem"]:
        module.fail_json(msg="%(problem)s: %(problem_detail)s" % result, **answer)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
