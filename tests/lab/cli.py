"""The lab from the command line."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence

from tests.lab import faults
from tests.lab.errors import LabError
from tests.lab.host import Host
from tests.lab.lab import Lab, is_instance
from tests.lab.lifecycle import bring_up, obstacle, take_down
from tests.lab.settings import Settings, read_settings

_ACTIONS: dict[str, Callable[[Host], object]] = {
    "cut": Host.cut,
    "mend": Host.mend,
    "power-off": Host.power_off,
    "power-on": Host.power_on,
    "reset": Host.reset,
    "hang": faults.hang,
    "wake": faults.wake,
    "fill-disk": faults.fill_disk,
    "free-disk": faults.free_disk,
    "release-lock": faults.release_apt_lock,
    "own-repository": Host.use_own_repository_only,
    "distribution": Host.use_distribution,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says."""
    options = _parser().parse_args(arguments)
    try:
        if reason := obstacle():
            raise LabError(reason)
        code: int | None = options.action(options, read_settings())
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return code or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    up = verbs.add_parser("up", help="start the instance named by KHIEN_LAB")
    up.add_argument("--hosts", type=int, default=10)
    up.add_argument("--vms", type=int, default=0, help="hosts with a kernel of their own")
    up.set_defaults(action=_up)
    verbs.add_parser("down", help="end it and remove all it used").set_defaults(action=_down)
    status = verbs.add_parser("status", help="show its hosts")
    status.add_argument("--json", action="store_true")
    status.set_defaults(action=_status)
    for name in _ACTIONS:
        verb = verbs.add_parser(name)
        verb.add_argument("hosts", nargs="+")
        verb.set_defaults(action=_each, verb=name)
    hold = verbs.add_parser("hold-lock", help="let a process named apt-get hold a package lock")
    hold.add_argument("host")
    hold.add_argument("--seconds", type=float, default=600)
    hold.add_argument("--which", choices=["lists", "frontend", "dpkg"], default="frontend")
    hold.set_defaults(action=_hold)
    inside = verbs.add_parser("exec", help="run a command on a host as root, from the outside")
    inside.add_argument("host")
    inside.add_argument("command", nargs="+")
    inside.set_defaults(action=_exec)
    ssh = verbs.add_parser("ssh", help="print the ssh command line of a host")
    ssh.add_argument("host")
    ssh.set_defaults(action=_ssh)
    publish = verbs.add_parser("publish", help="publish a package in the lab's own repository")
    publish.add_argument("name")
    publish.add_argument("version")
    publish.add_argument("--suite", choices=["main", "security"], default="main")
    publish.add_argument("--depends", default="")
    publish.add_argument("--postinst", default="")
    publish.set_defaults(action=_publish)
    unpublish = verbs.add_parser("unpublish", help="take a package out of it")
    unpublish.add_argument("name")
    unpublish.add_argument("version", nargs="?")
    unpublish.set_defaults(action=_unpublish)
    return parser


def _lab(settings: Settings) -> Lab:
    if not is_instance(settings.folder):
        raise LabError(f"no lab named {settings.name} is up")
    return Lab(settings)


def _up(options: argparse.Namespace, settings: Settings) -> None:
    lab = bring_up(settings, options.hosts, machines=options.vms)
    print(f"{len(lab.hosts)} hosts are up; inventory: {settings.public / 'inventory'}")


def _down(_options: argparse.Namespace, settings: Settings) -> int:
    left = take_down(settings)
    print("nothing is left" if not left else "still there: " + ", ".join(left))
    return 1 if left else 0


def _status(options: argparse.Namespace, settings: Settings) -> None:
    hosts = _lab(settings).hosts if is_instance(settings.folder) else []
    rows = [
        {
            "name": host.name,
            "address": host.address,
            "system": host.record.codename,
            "kind": host.record.kind,
            "login": host.record.user,
            "power": "on" if host.is_running else "off",
            "ssh": "answers" if host.greets(0.5) else "silent",
        }
        for host in hosts
    ]
    if options.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print("  ".join(f"{word:<12}" for word in row.values()))
    print(f"{len(rows)} hosts")


def _each(options: argparse.Namespace, settings: Settings) -> None:
    lab = _lab(settings)
    for name in options.hosts:
        _ACTIONS[options.verb](lab.host(name))


def _hold(options: argparse.Namespace, settings: Settings) -> None:
    print(faults.hold_apt_lock(_lab(settings).host(options.host), options.seconds, options.which))


def _exec(options: argparse.Namespace, settings: Settings) -> int:
    host = _lab(settings).host(options.host)
    return subprocess.run(host.inside(*options.command), check=False).returncode


def _ssh(options: argparse.Namespace, settings: Settings) -> None:
    print(" ".join(_lab(settings).host(options.host).ssh_command()))


def _publish(options: argparse.Namespace, settings: Settings) -> None:
    _lab(settings).repository.publish(
        options.name,
        options.version,
        suite=options.suite,
        depends=options.depends,
        postinst=options.postinst,
    )


def _unpublish(options: argparse.Namespace, settings: Settings) -> None:
    _lab(settings).repository.remove(options.name, options.version)
