#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Answers all of Khiên's questions about a Linux host in one round trip, and changes nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: khien_collect
short_description: Answer all of Khiên's probes about a Linux host
description:
  - Answers every probe within its own time limit; one that hangs or fails never stops the others.
  - Judges nothing and changes nothing. What needs root is answered with C(needs_root) to an ordinary user.
version_added: "0.1.0"
author: Khiên contributors
options:
  probes:
    description: The questions; C(id), C(kind), C(parameters) and C(timeout) in seconds each.
    type: json
    required: true
  budget:
    description: The time in seconds that all questions together may take.
    type: float
    default: 60.0
attributes:
  check_mode:
    support: full
    description: It only reads, so check mode makes no difference.
  diff_mode:
    support: none
    description: Nothing is changed.
"""

EXAMPLES = r"""
- name: Ask for one kernel setting
  khien_collect:
    probes:
      - {id: aslr, kind: sysctl, parameters: {key: kernel.randomize_va_space}, timeout: 5}
"""

RETURN = r"""
khien:
  description: JSON text with facts about the host and one observation for every probe.
  returned: success
  type: str
  sample: >-
    {"schema":"khien.observations/1","facts":{"os_id":"debian","privileged":true},
    "observations":{"aslr":{"answer":"answered","value":2,"ms":0}}}
"""

import gc
import json
import time

# A short life needs no garbage collector; without it reading the code below takes a tenth less.
gc.disable()

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.khien_probes.collect import SCHEMA, collect
from ansible.module_utils.khien_probes.facts import host_facts
from ansible.module_utils.khien_probes.machine import Machine


def main() -> None:
    """Ask the host, print the answers."""
    module = AnsibleModule(
        argument_spec={
            "probes": {"type": "json", "required": True},
            "budget": {"type": "float", "default": 60.0},
        },
        supports_check_mode=True,
        # Keeps the module from writing its arguments into the host's log: not even that is changed.
        no_log=True,
    )
    machine = Machine(now=time.time())
    observations = collect(machine, json.loads(module.params["probes"]), module.params["budget"])
    answer = {"schema": SCHEMA, "facts": host_facts(machine), "observations": observations}
    # As one text: Ansible looks at every value of a result many times, and there are hundreds.
    text = json.dumps(answer, separators=(",", ":"))
    module.exit_json(changed=False, khien=text, invocation={})


if __name__ == "__main__":
    main()
