#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Brings a Linux host to the state that a role's resources describe, and keeps what was before."""

from __future__ import annotations

DOCUMENTATION = r"""
module: khien_state
short_description: Bring a host to a declared state, with a checkpoint and a lock-out guard
description:
  - Plans first what differs, keeps it in a checkpoint on the host, applies it, and looks again. Either all of
    it holds afterwards, or everything is put back.
  - A guarded task arms a revert that the host carries out by itself, unless a fresh login from the
    controller, which the action plugin of the same name makes, disarms it in time.
  - Check mode plans in the same way and changes nothing, so it says exactly what would change.
version_added: "0.2.0"
author: Khiên contributors
options:
  area:
    description: The role that asks, a plain word.
    type: str
    required: true
  run:
    description: The run that the checkpoint belongs to. The action plugin fills it in.
    type: str
    required: true
  resources:
    description: What shall be how; docs/guides/roles.md lists the kinds and their words.
    type: list
    elements: dict
    required: true
  actions:
    description: By name, what makes running software notice a change.
    type: dict
    default: {}
  guarded:
    description: Whether management access depends on what is changed.
    type: bool
    default: false
  guard_seconds:
    description: Time until an armed revert is carried out.
    type: int
    default: 120
  keep_runs:
    description: How many runs' checkpoints stay on the host.
    type: int
    default: 10
  largest_mebibytes:
    description: Room for checkpoints; the oldest go first, and a run that needs more changes nothing.
    type: int
    default: 64
attributes:
  check_mode:
    support: full
    description: Says exactly what would change.
  diff_mode:
    support: full
    description: Shows every change.
"""

EXAMPLES = r"""
- name: Keep root from logging in
  khien_state:
    area: sshd
    guarded: true
    resources:
      - kind: file
        path: /etc/ssh/sshd_config.d/00-khien.conf
        mode: "0600"
        validate: /usr/sbin/sshd -t -f %s
        fragments:
          - {control: sshd_root_login_off, text: PermitRootLogin no}
        actions: [reload]
    actions:
      reload: {unit: ssh.service, verb: reload}
"""

RETURN = r"""
khien:
  description: What changed or would change for which control, what was left out and why, the guard's state.
  returned: always
  type: dict
  sample:
    schema: khien.harden/1
    area: sshd
    stage: applied
    changes:
      - {control: sshd_root_login_off, kind: file, thing: /etc/ssh/x.conf, before: "∅", after: UsePAM yes}
"""

import sys

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.khien_state.bring import Task
from ansible.module_utils.khien_state.guard import arm, disarm, note
from ansible.module_utils.khien_state.resource import BadWordsError
from ansible.module_utils.khien_state.system import ApplyError, System


def main() -> None:
    """Plan or apply, print what it did."""
    module = AnsibleModule(
        argument_spec={
            "area": {"type": "str", "required": True},
            "run": {"type": "str", "required": True},
            "resources": {"type": "list", "elements": "dict", "required": True},
            "actions": {"type": "dict", "default": {}},
            "guarded": {"type": "bool", "default": False},
            "guard_seconds": {"type": "int", "default": 120},
            "keep_runs": {"type": "int", "default": 10},
            "largest_mebibytes": {"type": "int", "default": 64},
        },
        supports_check_mode=True,
        # Keeps the arguments, which hold whole files, out of the host's log.
        no_log=True,
    )
    words = module.params
    system = System()
    guards: list[str] = []

    def armed(checkpoint) -> str:  # noqa: ANN001 - a Checkpoint
        guards.append(arm(system, checkpoint, words["guard_seconds"], sys.executable))
        return guards[-1]

    try:
        task = Task(
            system,
            run=words["run"],
            area=words["area"],
            resources=words["resources"],
            actions=words["actions"],
            arm=armed if words["guarded"] else None,
            disarm=lambda: [disarm(system, name) for name in guards],
            keep_runs=words["keep_runs"],
            largest_bytes=words["largest_mebibytes"] * 1024 * 1024,
        )
        result = task.predict() if module.check_mode else task.execute()
    except (BadWordsError, ApplyError) as problem:
        module.fail_json(msg=str(problem), invocation={})
    result["guard"]["seconds"] = words["guard_seconds"] if guards else 0
    for name in guards:
        note(system, name, result)
    answer = {"changed": bool(result["changes"]), "khien": result, "invocation": {}}
    if module._diff:  # noqa: SLF001 - Ansible's own way to ask
        answer["diff"] = [
            {
                "before_header": "%s (%s)" % (change["thing"], change["control"]),
                "after_header": "%s (%s)" % (change["thing"], change["control"]),
                "before": change["before"] + "\n",
                "after": change["after"] + "\n",
            }
            for change in result["changes"]
        ]
    if result["problem"]:
        module.fail_json(msg="%(problem)s: %(problem_detail)s" % result, **answer)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
