"""Grades hardening by graders that are not ours: `python -m tests.lab.grade [--vms] [--level N]`.

Fresh hosts of Debian 12 and 13 are graded, hardened by playbooks/harden.yml, and graded again. Nothing is tuned to
the graders: what they flag and hardening leaves is listed.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tests.lab.graders import CONTENT, PROFILE, Grade, give_content, grade, install
from tests.lab.lab import Lab
from tests.lab.lifecycle import bring_up, take_down
from tests.lab.processes import identify
from tests.lab.settings import CHECKOUT, read_settings

Grades = Mapping[str, tuple[Grade, Grade]]


def main() -> int:
    """Grade, harden, grade again; write what came out to .lab/grade.json and .lab/grade.md."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.grade", description=__doc__)
    parser.add_argument(
        "--vms", action="store_true", help="hosts with a kernel of their own: slow, and more is asked"
    )
    parser.add_argument("--level", type=int, default=3)
    options = parser.parse_args()
    settings = read_settings("grade")
    lab = bring_up(settings, 0 if options.vms else 2, identify(os.getpid()), machines=2 if options.vms else 0)
    try:
        grades = _grade(lab, options.level)
    finally:
        left = take_down(settings)
    document = {
        "schema": "khien.grade/1",
        "hosts": "virtual machines" if options.vms else "containers",
        "level": options.level,
        "openscap_profile": PROFILE,
        "grades": {
            host: {"before": asdict(was), "after": asdict(now)} for host, (was, now) in grades.items()
        },
    }
    folder = CHECKOUT / ".lab"
    folder.mkdir(exist_ok=True)
    (folder / "grade.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    text = "\n".join(table(grades))
    (folder / "grade.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 1 if left else 0


def _grade(lab: Lab, level: int) -> Grades:
    hosts = lab.hosts
    with ThreadPoolExecutor(max_workers=len(hosts)) as pool:
        list(pool.map(install, hosts))
        [newest] = [host for host in hosts if host.record.codename == "trixie"]
        content = newest.exec(["cat", CONTENT]).stdout
        list(pool.map(lambda host: give_content(host, content), hosts))
        before = list(pool.map(grade, hosts))
        _harden(lab, level)
        after = list(pool.map(grade, hosts))
    names = [f"{host.name} ({host.record.codename})" for host in hosts]
    return dict(zip(names, zip(before, after, strict=True), strict=True))


def _harden(lab: Lab, level: int) -> None:
    inventory = lab.inventory_of(lab.hosts, lab.folder / "inventory")
    words = [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, "playbooks/harden.yml"]
    extra = json.dumps({"khien_level": level})
    subprocess.run([*words, "-e", extra], cwd=CHECKOUT, check=True, stdout=sys.stderr, timeout=7200)


def table(grades: Grades) -> Iterator[str]:
    """Return the figures as Markdown, and below them what the graders still flag."""
    yield "| host | grader | before | after |"
    yield "|---|---|---|---|"
    for host, (was, now) in grades.items():
        yield f"| {host} | Lynis {now.versions.get('lynis', '')}: hardening index | {was.lynis_index} | {now.lynis_index} |"
        yield f"| {host} | Lynis: warnings | {len(was.lynis_warnings)} | {len(now.lynis_warnings)} |"
        yield f"| {host} | Lynis: suggestions | {len(was.lynis_suggestions)} | {len(now.lynis_suggestions)} |"
        for verdict in sorted(was.openscap.keys() | now.openscap.keys()):
            seen = f"{was.openscap.get(verdict, 0)} | {now.openscap.get(verdict, 0)}"
            version = now.versions.get("openscap-scanner", "")
            yield f"| {host} | OpenSCAP {version}, {PROFILE}: {verdict} | {seen} |"
    for host, (was, now) in grades.items():
        yield from _list(f"{host}: Lynis still flags", (*now.lynis_warnings, *now.lynis_suggestions))
        yield from _list(f"{host}: OpenSCAP still fails", now.openscap_failed)
        yield from _list(
            f"{host}: OpenSCAP fails only since hardening",
            sorted({*now.openscap_failed} - {*was.openscap_failed}),
        )


def _list(title: str, lines: tuple[str, ...] | list[str]) -> Iterator[str]:
    yield f"\n## {title} ({len(lines)})\n"
    yield from (f"- {line}" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
