#!/usr/bin/python
"""Installs the security updates of a Debian-like host, or predicts them: the entry, no more."""

from __future__ import annotations

DOCUMENTATION = r"""
module: khien_apt
short_description: Install the security updates of a Debian-like host, and nothing else
description:
  - Lets apt itself work out the security updates, under temporary preferences in which every other source
    ranks below what is installed. Holds and the host's own pins are honoured; no package is removed.
  - The transaction runs on the host in a unit of its own, so that neither a lost connection nor a killed
    controller interrupts dpkg. Whoever calls next finds it and waits for its end.
  - In check mode nothing on the host changes; the lists are refreshed in a private copy.
options:
  step:
    description:
      - C(plan) refreshes the package lists and prepares the transaction. In check mode it only predicts.
      - C(start) starts what was prepared.
      - C(finish) waits for its end and tells what it did.
      - C(report) tells it once more, as after a restart of the host.
      - C(acknowledge) notes that transactions were reported, so that they are not told again.
    type: str
    choices: [plan, start, finish, report, acknowledge]
    default: plan
  security_origins:
    description: Release expressions of apt_preferences(5) for sources of security updates.
    type: list
    elements: str
    default: ["l=Debian-Security", "n=*-security", "a=*-security"]
  transaction:
    description: Id of the transaction; the run that starts it.
    type: str
    default: ""
  transactions:
    description: Ids to acknowledge; C(plan) does so too, before anything else.
    type: list
    elements: str
    default: []
  services:
    description: Services that ran before a restart of the host, for C(report).
    type: list
    elements: str
    default: []
  lock_wait_seconds:
    description: How long to wait for the locks of apt and dpkg.
    type: int
    default: 300
  lists_timeout_seconds:
    description: How long refreshing the package lists may take.
    type: int
    default: 300
  transaction_limit_seconds:
    description: How long to wait for the end of a transaction; it is left alone afterwards.
    type: int
    default: 14400
  settle_seconds:
    description: How long a service may take to come up again.
    type: int
    default: 20
  keep_transactions:
    description: How many reported transactions stay on the host.
    type: int
    default: 10
  repair_interrupted:
    description: Whether to complete an interrupted dpkg first.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Predicts exactly what a real run installs, and changes nothing.
  diff_mode:
    support: full
    description: Shows the packages with their versions before and after.
author: Khiên
"""

EXAMPLES = r"""
- name: Predict the security updates
  khien_apt:
    step: plan
  check_mode: true
"""

RETURN = r"""
khien:
  description: The report, of schema khien.patch/1.
  type: dict
  returned: for all steps but acknowledge
transactions:
  description: Transactions whose changes are in the report, to be acknowledged.
  type: list
  elements: str
  returned: for all steps but acknowledge
services:
  description: Services that ran before the transaction.
  type: list
  elements: str
  returned: for all steps but acknowledge
"""

import errno
import re
import time
import uuid
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.khien_patch.command import PatchError, run_command
from ansible.module_utils.khien_patch.outcome import failure, report
from ansible.module_utils.khien_patch.result import Result, Wishes
from ansible.module_utils.khien_patch.steps import begin, finish, plan, predict
from ansible.module_utils.khien_patch.transaction import acknowledge

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SPEC = {
    "step": {
        "type": "str",
        "choices": ["plan", "start", "finish", "report", "acknowledge"],
        "default": "plan",
    },
    "security_origins": {
        "type": "list",
        "elements": "str",
        "default": ["l=Debian-Security", "n=*-security", "a=*-security"],
    },
    "transaction": {"type": "str", "default": ""},
    "transactions": {"type": "list", "elements": "str", "default": []},
    "services": {"type": "list", "elements": "str", "default": []},
    "lock_wait_seconds": {"type": "int", "default": 300},
    "lists_timeout_seconds": {"type": "int", "default": 300},
    "transaction_limit_seconds": {"type": "int", "default": 14400},
    "settle_seconds": {"type": "int", "default": 20},
    "keep_transactions": {"type": "int", "default": 10},
    "repair_interrupted": {"type": "bool", "default": False},
}


def main() -> None:
    """Do one step."""
    module = AnsibleModule(argument_spec=_SPEC, supports_check_mode=True)
    params = module.params
    if params["transaction"] and not _ID.fullmatch(params["transaction"]):
        module.fail_json(msg="transaction must be letters, digits, - and _, at most 64 of them.")
    if params["step"] == "acknowledge":
        if not module.check_mode:
            acknowledge(params["transactions"], params["keep_transactions"], time.time())
        module.exit_json(changed=False)
    wishes = _wishes(params)
    try:
        if params["transactions"] and not module.check_mode:
            acknowledge(params["transactions"], params["keep_transactions"], time.time())
        result = _do(params, wishes, module.check_mode)
    except PatchError as error:
        result = failure(run_command, error)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        result = failure(run_command, PatchError("disk_full", "No space is left: {}.".format(error.filename)))
    _answer(module, result)


def _wishes(params: dict[str, Any]) -> Wishes:
    made_up = time.strftime("%Y%m%d-%H%M%S-") + uuid.uuid4().hex[:4]
    return Wishes(
        security_origins=tuple(params["security_origins"]),
        transaction_id=params["transaction"] or made_up,
        lock_wait_seconds=params["lock_wait_seconds"],
        lists_timeout_seconds=params["lists_timeout_seconds"],
        transaction_limit_seconds=params["transaction_limit_seconds"],
        settle_seconds=params["settle_seconds"],
        may_repair=params["repair_interrupted"],
    )


def _do(params: dict[str, Any], wishes: Wishes, is_check: bool) -> Result:
    step = params["step"]
    if is_check:
        return predict(run_command, wishes)
    if step == "plan":
        return plan(run_command, wishes)
    if step == "start":
        return begin(run_command, wishes)
    if step == "finish":
        return finish(run_command, wishes)
    return report(run_command, wishes, tuple(params["services"]))


def _answer(module: AnsibleModule, result: Result) -> None:
    answer: dict[str, Any] = {
        "changed": bool(result.changes) and (result.stage == "finished" or module.check_mode),
        "khien": result.report(),
        "transactions": list(result.transactions),
        "services": list(result.services),
    }
    if answer["changed"] and module._diff:  # noqa: SLF001 - Ansible has no public name for it
        answer["diff"] = result.diff()
    if result.problem:
        module.fail_json(msg=result.problem_detail, **answer)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
