"""The preferences under which apt installs security updates and nothing else."""

import pytest
from ansible.module_utils.khien_patch.policy import (
    PackageFile,
    has_origin,
    marking_preferences,
    parse_candidates,
    parse_package_files,
    parse_versions,
    security_files,
    security_only_preferences,
)

# Recorded on Debian 12; a backports suite and a vendor's repository without a Release file added by hand.
POLICY = """\
Package files:
 100 /var/lib/dpkg/status
     release a=now
  50 http://198.18.0.1/vendor ./ Packages
     release c=
     origin 198.18.0.1
 100 http://198.18.0.1/debian bookworm-backports/main amd64 Packages
     release o=Debian Backports,a=oldstable-backports,n=bookworm-backports,l=Debian Backports,c=main,b=amd64
     origin 198.18.0.1
 500 http://198.18.0.1/debian-security bookworm-security/main amd64 Packages
     release v=12,o=Debian,a=oldstable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64
     origin 198.18.0.1
 500 http://198.18.0.1/debian bookworm/main amd64 Packages
     release v=12.15,o=Debian,a=oldstable,n=bookworm,l=Debian,c=main,b=amd64
     origin 198.18.0.1
  -1 http://198.18.0.1/never trixie/main amd64 Packages
     release v=13,o=Never,n=trixie,l=Never,c=main,b=amd64
     origin 198.18.0.1
Pinned packages:
     kd-gamma -> 3.0 with priority 700
"""
VERSIONS = """\
nginx:
  Installed: 1.26.3-3+deb13u10
  Candidate: 1.26.3-3+deb13u11
  Version table:
     1.26.3-3+deb13u11 1234
       1234 http://198.18.0.1/debian-security trixie-security/main amd64 Packages
 *** 1.26.3-3+deb13u10 50
         50 http://198.18.0.1/debian trixie/main amd64 Packages
         50 /var/lib/dpkg/status
libc6:i386:
  Installed: 2.41-12
  Candidate: 2.41-12
  Version table:
 *** 2.41-12 1234
       1234 http://198.18.0.1/debian-security trixie-security/main i386 Packages
        500 http://198.18.0.1/debian trixie/main i386 Packages
        100 /var/lib/dpkg/status
"""


def _priorities(preferences: str) -> dict[str, int]:
    records = [dict(line.split(": ", 1) for line in r.splitlines()) for r in preferences.split("\n\n") if r]
    return {record["Pin"]: int(record["Pin-Priority"]) for record in records}


def test_package_files_are_read_with_suite_and_release() -> None:
    files = parse_package_files(POLICY)

    assert len(files) == 6
    assert files[0].is_installed_list
    assert (files[1].address, files[1].suite) == ("http://198.18.0.1/vendor", "./")
    assert (files[3].suite, files[3].priority) == ("bookworm-security", 500)
    assert files[4].release == "v=12.15,o=Debian,a=oldstable,n=bookworm,l=Debian,c=main,b=amd64"
    assert files[5].priority == -1


def test_a_suite_with_a_slash_keeps_it() -> None:
    file = PackageFile(500, "http://198.18.0.1/s buster/updates/main amd64 Packages")

    assert file.suite == "buster/updates"


def test_every_security_origin_is_marked_for_all_packages() -> None:
    text = marking_preferences(["l=Debian-Security", "n=*-security"])

    assert _priorities(text) == {"release l=Debian-Security": 1234, "release n=*-security": 1234}
    assert text.count("Package: *\n") == 2


def test_marked_files_are_the_security_files() -> None:
    marked = POLICY.replace(" 500 http://198.18.0.1/debian-sec", "1234 http://198.18.0.1/debian-sec")

    assert [file.suite for file in security_files(parse_package_files(marked))] == ["bookworm-security"]


def test_other_sources_rank_below_what_is_installed_and_keep_their_order() -> None:
    files = parse_package_files(POLICY)

    priorities = _priorities(security_only_preferences(files, [files[3]], [], ""))

    assert priorities["release a=now"] == 100
    assert priorities["release " + files[3].release] == 500
    stable, backports = priorities["release " + files[4].release], priorities["release " + files[2].release]
    assert 100 > stable > backports > priorities["release *"]
    assert priorities["release " + files[5].release] == -1


def test_a_security_source_neither_forces_an_older_version_nor_stays_below_what_is_installed() -> None:
    def priority(of_host: int) -> int:
        file = PackageFile(of_host, "http://198.18.0.1/s x-security/main amd64 Packages", "n=x-security")
        return _priorities(security_only_preferences([file], [file], [], ""))["release n=x-security"]

    assert [priority(p) for p in (1001, 990, 500, 100, 1, -1)] == [990, 990, 500, 500, 500, -1]


def test_exceptions_come_first_and_the_hosts_own_records_last() -> None:
    own = "Package: kd-gamma\nPin: release o=Vendor\n"

    records = security_only_preferences([], [], [("kd-gamma", "3.0")], own).split("\n\n")

    assert records[0] == "Package: kd-gamma\nPin: version 3.0\nPin-Priority: 50"
    assert records[-1] == own


@pytest.mark.parametrize(
    ("origin", "fits"),
    [
        ("l=Debian-Security", True),
        ("n=*-security", True),
        ("o=Debian,a=*-security", True),
        ("o=Ubuntu,a=*-security", False),
        ("n=/^trixie/", True),
        ("n=/^bookworm/", False),
        ("l=debian-*", True),
    ],
)
def test_a_release_expression_fits_as_apt_would_see_it(origin: str, fits: bool) -> None:
    release = "o=Debian,a=stable-security,n=trixie-security,l=Debian-Security"

    assert has_origin(PackageFile(0, "http://198.18.0.1/s trixie-security/", release), [origin]) is fits


def test_versions_tell_which_are_security_updates() -> None:
    assert parse_versions(VERSIONS) == {
        "nginx": {"1.26.3-3+deb13u11": True, "1.26.3-3+deb13u10": False},
        "libc6:i386": {"2.41-12": True},
    }


def test_candidates_are_only_what_would_replace_the_installed_version() -> None:
    assert parse_candidates(VERSIONS) == {"nginx": "1.26.3-3+deb13u11"}
