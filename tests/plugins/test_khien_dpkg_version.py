"""Versions stand in the same order as for dpkg itself."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from ansible.module_utils.khien_dpkg_version import compare, is_newer
from hypothesis import given, settings
from hypothesis import strategies as st

PARTS = st.text(alphabet="0129azAZ.+~", min_size=1, max_size=8)
VERSIONS = st.builds(
    lambda epoch, upstream, revision: f"{epoch}0{upstream}0{revision}",
    st.sampled_from(["", "0:", "1:", "2:"]),
    st.text(alphabet="0129azAZ.+~-", max_size=8),
    st.builds("-{}".format, PARTS) | st.just(""),
)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0~rc1", "1.0"),
        ("1.0", "1.0a"),
        ("1.0a", "1.0+a"),
        ("1.9", "1.10"),
        ("9.9", "1:0.1"),
        ("1.0-1", "1.0-1+deb12u1"),
        ("1.0-1~bpo12+1", "1.0-1"),
        ("2.36-9+deb12u9", "2.36-9+deb12u13"),
        ("1.6-2.1+deb12u1", "1.6-2.1+deb12u3"),
    ],
)
def test_known_pairs(older: str, newer: str) -> None:
    assert is_newer(newer, older)
    assert not is_newer(older, newer)


def test_what_means_the_same_is_equal() -> None:
    assert compare("0:1.0-0", "1.0") == 0
    assert compare("1.01", "1.1") == 0


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is the judge here")
@settings(max_examples=300, deadline=None)
@given(left=VERSIONS, right=VERSIONS)
def test_the_order_is_that_of_dpkg(left: str, right: str) -> None:
    ours = compare(left, right)

    operator = {-1: "lt", 0: "eq", 1: "gt"}[ours]
    said = subprocess.run(
        ["dpkg", "--compare-versions", left, operator, right], capture_output=True, check=False
    )
    assert said.returncode == 0, (left, operator, right, said.stderr)


@given(left=VERSIONS, right=VERSIONS)
def test_the_order_has_two_sides(left: str, right: str) -> None:
    assert compare(left, right) == -compare(right, left)
