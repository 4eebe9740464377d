"""The lab's hosts as an Ansible inventory, and their keys as known hosts."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.lab.host import Host

_AGENCIES: Mapping[str, Mapping[str, Any]] = {
    "so_y_te": {
        "khien_agency": "so_y_te",
        "khien_agency_name": "Sở Y tế",
        "khien_site": "tinh_ly",
        "khien_level": 3,
        "khien_owner": "to_cntt_syt",
    },
    "so_tai_chinh": {
        "khien_agency": "so_tai_chinh",
        "khien_agency_name": "Sở Tài chính",
        "khien_site": "tinh_ly",
        "khien_level": 3,
        "khien_owner": "to_cntt_stc",
    },
    "ubnd_huyen_a": {
        "khien_agency": "ubnd_huyen_a",
        "khien_agency_name": "UBND huyện A",
        "khien_site": "huyen_a",
        "khien_level": 2,
        "khien_owner": "van_phong_huyen_a",
    },
}


def agency_of(number: int) -> str:
    """Return the agency of a host by its number: four, four and two of ten."""
    return ("so_y_te", "so_y_te", "so_tai_chinh", "so_tai_chinh", "ubnd_huyen_a")[(number - 1) % 5]


def write_inventory(hosts: Iterable[Host], folder: Path, key: Path, known_hosts: Path) -> Path:
    """Write the inventory into a folder and return it."""
    options = (
        f"-o UserKnownHostsFile={known_hosts} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes"
    )
    lines = [
        "---",
        "# Written by the lab; it is replaced whenever hosts come or go.",
        "all:",
        "  vars:",
        f"    ansible_ssh_private_key_file: {json.dumps(str(key))}",
        f"    ansible_ssh_common_args: {json.dumps(options)}",
        '    ansible_python_interpreter: "/usr/bin/python3"',
        "  children:",
    ]
    members: dict[str, list[Host]] = {}
    for host in hosts:
        members.setdefault(agency_of(host.record.number), []).append(host)
    for agency, words in _AGENCIES.items():
        if agency not in members:
            continue
        lines += [f"    {agency}:", "      vars:"]
        lines += [f"        {name}: {json.dumps(word, ensure_ascii=False)}" for name, word in words.items()]
        lines.append("      hosts:")
        for host in members[agency]:
            role = "workstation" if host.record.number % 5 == 0 else "server"
            lines += [
                f"        {host.name}:",
                f'          ansible_host: "{host.address}"',
                f'          ansible_user: "{host.record.user}"',
                f'          khien_role: "{role}"',
            ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hosts.yml").write_text("\n".join(lines) + "\n")
    return folder
