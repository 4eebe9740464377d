"""The files that ansible-playbook reads, and the command line that names them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

from khien.adapters.private_folder import PrivateFolder
from khien.application.ports import EngineJob


def command_line(job: EngineJob, folder: PrivateFolder, program: str, forks: int) -> list[str]:
    """Write the run's files and return the ansible-playbook command line that reads them.

    Hosts, variables and secrets travel in files: a command line can be read by every user of the machine.
    """
    options = job.plan.options
    command = [program, str(job.playbook)]
    for inventory in options.inventory:
        command += ["-i", inventory]
    command += ["--limit", f"@{folder.write('hosts', chr(10).join(job.plan.hosts) + chr(10))}"]
    command += ["--forks", str(min(options.forks or forks, max(1, len(job.plan.hosts))))]
    if options.check:
        command.append("--check")
    if options.diff:
        command.append("--diff")
    for number, given in enumerate(options.extra_vars):
        command += ["-e", given if given.startswith("@") else _variables_file(folder, number, given)]
    documents = {
        name: str(folder.write(f"{name}.json", json.dumps(content)))
        for name, content in job.documents.items()
    }
    command += ["-e", f"@{folder.write('khien.json', json.dumps({**job.extra_vars, **documents}))}"]
    command += _secret_options(job.secrets, folder)
    return command


def _variables_file(folder: PrivateFolder, number: int, given: str) -> str:
    if given.lstrip().startswith("{"):
        variables = json.loads(given)
    else:
        # key=value pairs, quoted as in a shell; Ansible, too, takes every value as text.
        variables = dict(pair.split("=", 1) for pair in shlex.split(given))
    return f"@{folder.write(f'extra-{number}.json', json.dumps(variables))}"


_SECRET_OPTIONS: Mapping[str, str] = {
    "become_password": "--become-password-file",
    "connection_password": "--connection-password-file",
    "vault_password": "--vault-password-file",
}


def _secret_options(secrets: Mapping[str, str], folder: PrivateFolder) -> Sequence[str]:
    options: list[str] = []
    for name, secret in secrets.items():
        options += [_SECRET_OPTIONS[name], str(folder.write(name, secret + "\n"))]
    return options
