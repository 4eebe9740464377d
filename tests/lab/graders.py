"""Independent graders on a host: Lynis, and OpenSCAP with the content that Debian packages."""

import re
from collections import Counter
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from tests.lab.host import Host

CONTENT = "/usr/share/xml/scap/ssg/content/ssg-debian12-ds.xml"
PROFILE = "anssi_bp28_high"
# Debian packages no content for Debian 13: there, that of Debian 12 is asked to take 13 for 12, and nothing else.
_ITS_SYSTEM = ("^12.[0-9]+$", "^13.[0-9]+$")
_HERE = "/root/grade"
_RESULT = "{http://checklists.nist.gov/xccdf/1.2}rule-result"
_VERDICT = "{http://checklists.nist.gov/xccdf/1.2}result"
_RULE = "xccdf_org.ssgproject.content_rule_"
_PATIENCE = 3600


@dataclass(frozen=True)
class Grade:
    """What the graders say of a host at one moment."""

    lynis_index: int
    lynis_warnings: tuple[str, ...]
    lynis_suggestions: tuple[str, ...]
    openscap: dict[str, int]
    openscap_failed: tuple[str, ...]
    versions: dict[str, str] = field(default_factory=dict)


def install(host: Host) -> None:
    """Install the graders, and nothing that they only recommend."""
    packages = ["lynis", "openscap-scanner"] + (["ssg-debian"] if host.record.codename == "trixie" else [])
    host.exec(["apt-get", "-qq", "update"], timeout=_PATIENCE)
    argv = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-qq",
        "install",
        "-y",
        "--no-install-recommends",
    ]
    host.exec([*argv, *packages], timeout=_PATIENCE)


def give_content(host: Host, content: str) -> None:
    """Give a host the content it is graded by."""
    if host.record.codename == "trixie":
        assert content.count(_ITS_SYSTEM[0]) == 1
        content = content.replace(*_ITS_SYSTEM)
    host.write(f"{_HERE}/content.xml", content, 0o600)


def grade(host: Host) -> Grade:
    """Let both graders look; neither changes anything but its own reports."""
    report, log = f"{_HERE}/lynis.dat", f"{_HERE}/lynis.log"
    host.exec(
        [
            "lynis",
            "audit",
            "system",
            "--quick",
            "--quiet",
            "--no-colors",
            "--report-file",
            report,
            "--logfile",
            log,
        ],
        check=False,
        timeout=_PATIENCE,
    )
    results = f"{_HERE}/results.xml"
    profile = f"xccdf_org.ssgproject.content_profile_{PROFILE}"
    # It ends with 2 when a rule failed, which is no failure of the grader.
    host.exec(
        ["oscap", "xccdf", "eval", "--profile", profile, "--results", results, f"{_HERE}/content.xml"],
        check=False,
        timeout=_PATIENCE,
    )
    index, warnings, suggestions = read_lynis(host.exec(["cat", report]).stdout)
    counts, failed = read_openscap(host.exec(["cat", results]).stdout)
    versions = {
        name: host.exec(["dpkg-query", "-W", "-f", "${Version}", name]).stdout
        for name in ("lynis", "openscap-scanner")
    }
    return Grade(index, warnings, suggestions, counts, failed, versions)


def read_lynis(text: str) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """Return the hardening index, the warnings and the suggestions of a report.dat."""
    found = re.search(r"^hardening_index=(\d+)$", text, re.MULTILINE)
    if not found:
        raise ValueError("Lynis came to no end: its report has no hardening_index")
    said = {
        word: tuple(
            dict.fromkeys(_short(line) for line in re.findall(rf"^{word}\[\]=(.+)$", text, re.MULTILINE))
        )
        for word in ("warning", "suggestion")
    }
    return int(found.group(1)), said["warning"], said["suggestion"]


def read_openscap(text: str) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return how many rules had which result, and those that failed."""
    rows = [
        (row.get("idref", "").removeprefix(_RULE), row.findtext(_VERDICT, ""))
        for row in ET.fromstring(text).iter(_RESULT)
    ]
    rows = [row for row in rows if row[1] != "notselected"]
    return dict(Counter(verdict for _, verdict in rows)), tuple(
        rule for rule, verdict in rows if verdict == "fail"
    )


def _short(line: str) -> str:
    """Return a line of Lynis as `TEST: what it says (details)`."""
    test, words, details = (*line.split("|"), "", "")[:3]
    return f"{test}: {words}" + (f" ({details})" if details not in ("", "-") else "")
