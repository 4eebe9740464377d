"""The only code of the lab that deletes folders refuses everything that is not its own."""

import subprocess
from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.trees import MARKER, make_tree, remove_tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "state"
    root.mkdir()
    return root


def test_a_folder_of_the_lab_is_removed_whole(root: Path) -> None:
    folder = make_tree(root / "lab")
    (folder / "hosts").mkdir()

    remove_tree(folder, root)

    assert not folder.exists()


@pytest.mark.parametrize("path", ["", ".", "..", "lab", "./lab", "../state/lab"])
def test_a_path_that_is_not_absolute_is_refused(
    root: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(root / "lab")
    make_tree(root)
    monkeypatch.chdir(root)

    with pytest.raises(LabError, match="refusing"):
        remove_tree(path, root)

    assert (root / "lab" / MARKER).exists()


def test_nothing_outside_the_state_root_is_removed(root: Path, tmp_path: Path) -> None:
    other = make_tree(tmp_path / "other")

    for path in (other, root, root.parent, Path("/"), root / ".." / "other"):
        make_tree(root)
        with pytest.raises(LabError, match="refusing"):
            remove_tree(path, root)

    assert other.exists()


def test_a_state_root_that_is_none_allows_nothing(tmp_path: Path) -> None:
    folder = make_tree(tmp_path / "lab")

    for root in (Path("/"), Path("/tmp"), Path(), Path("relative/root")):
        with pytest.raises(LabError, match="refusing"):
            remove_tree(folder, root)


def test_a_link_is_not_followed(root: Path, tmp_path: Path) -> None:
    precious = make_tree(tmp_path / "precious")
    (root / "link").symlink_to(precious)

    with pytest.raises(LabError, match="refusing"):
        remove_tree(root / "link", root)

    assert precious.exists()


def test_a_folder_without_the_marker_is_left_alone(root: Path) -> None:
    (root / "lab").mkdir()

    with pytest.raises(LabError, match="marker"):
        remove_tree(root / "lab", root)

    assert (root / "lab").exists()


@pytest.mark.lab
def test_a_folder_with_a_mount_is_left_alone(root: Path) -> None:
    folder = make_tree(root / "lab")
    (folder / "disk").mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "none", folder / "disk"], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("mounting needs root")
    try:
        with pytest.raises(LabError, match="mounted"):
            remove_tree(folder, root)
    finally:
        subprocess.run(["umount", folder / "disk"], check=True)

    assert folder.exists()


def test_the_checkout_and_what_holds_it_are_never_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_tree(tmp_path / "home" / "someone")
    checkout = make_tree(home / "project")
    monkeypatch.setattr("tests.lab.trees.CHECKOUT", checkout)

    for path in (checkout, home):
        with pytest.raises(LabError, match="holds the lab itself"):
            remove_tree(path, tmp_path / "home")

    assert checkout.exists()
