"""Finds the static files of an inventory as Ansible does, and has each read with its line numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from khien.adapters.inventory_ini import IniFile
from khien.adapters.inventory_schema import schema_problems
from khien.adapters.inventory_yaml import YamlFile
from khien.application.check_inventory import (
    HostDefinition,
    Place,
    Problem,
    SourceContents,
    VariableDefinition,
)
from khien.errors import UsageError
from khien.i18n import _

# What Ansible itself passes over in a folder of sources.
_PASSED_OVER = ("~", ".orig", ".cfg", ".retry", ".pyc", ".pyo", ".swp", ".bak", ".rpm", ".md", ".txt", ".rst")
_VARIABLE_FOLDERS = {"group_vars": False, "host_vars": True}
_YAML = (".yml", ".yaml", ".json")
_VAULTED = "$ANSIBLE_VAULT;"


class InventoryFiles:
    """The SourceReader port over YAML and INI files."""

    def __init__(self, default: Sequence[str] = ()) -> None:
        """Take the inventory that is meant when none is named."""
        self._default = tuple(default)

    def read(self, inventory: Sequence[str]) -> SourceContents:
        """Return all that the static files say, with what is wrong in them."""
        reading = _Reading()
        for source in tuple(inventory) or self._default:
            if "," in source:
                continue
            path = Path(source)
            if not path.exists():
                raise UsageError(_("There is no inventory at {path}.").format(path=source))
            if path.is_dir():
                reading.folder(path)
            else:
                reading.source(path)
                reading.variables_beside(path.parent)
        problems = (*reading.problems, *schema_problems(reading.hosts, reading.variables))
        return SourceContents(
            tuple(reading.hosts), tuple(reading.variables), problems, tuple(reading.not_read)
        )


class _Reading:
    def __init__(self) -> None:
        self.hosts: list[HostDefinition] = []
        self.variables: list[VariableDefinition] = []
        self.problems: list[Problem] = []
        self.not_read: list[Path] = []

    def folder(self, folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or path.name in {*_VARIABLE_FOLDERS, "vars_plugins"}:
                continue
            if path.is_dir():
                self.folder(path)
            elif not path.name.endswith(_PASSED_OVER):
                self.source(path)
        self.variables_beside(folder)

    def source(self, path: Path) -> None:
        if path.stat().st_mode & 0o111:
            self.not_read.append(path)
            return
        text = self._text(path)
        if text is None:
            return
        yaml_file = YamlFile(path)
        keys = yaml_file.top_keys(text)
        if "plugin" in keys:
            self.not_read.append(path)
        # A name without an ending may be either: Ansible tries YAML first, then INI.
        elif path.suffix in _YAML or (keys and not path.suffix):
            yaml_file.read_inventory(text)
            self._keep(yaml_file)
        else:
            ini_file = IniFile(path)
            ini_file.read_inventory(text)
            self._keep(ini_file)

    def variables_beside(self, folder: Path) -> None:
        for name, is_of_host in _VARIABLE_FOLDERS.items():
            if (folder / name).is_dir():
                for path in sorted((folder / name).iterdir()):
                    owner = path.stem if path.suffix in _YAML else path.name
                    self._variables_of(path, owner, is_of_host=is_of_host)

    def _variables_of(self, path: Path, owner: str, *, is_of_host: bool) -> None:
        for file in _variable_files(path):
            text = self._text(file)
            if text is not None:
                yaml_file = YamlFile(file)
                yaml_file.read_variables(text, owner, is_of_host=is_of_host)
                self._keep(yaml_file)

    def _text(self, path: Path) -> str | None:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as exc:
            line = exc.object[: exc.start].count(b"\n") + 1
            self.problems.append(Problem(Place(path, line), _("This is not UTF-8 text.")))
            return None
        except OSError as exc:
            message = _("The file cannot be read: {reason}.").format(reason=exc.strerror)
            self.problems.append(Problem(Place(path, 1), message))
            return None
        if text.startswith(_VAULTED):
            self.not_read.append(path)
            return None
        return text

    def _keep(self, file: YamlFile | IniFile) -> None:
        self.hosts += file.hosts
        self.variables += file.variables
        self.problems += file.problems


def _variable_files(path: Path) -> Iterator[Path]:
    if path.name.startswith(".") or path.name.endswith("~"):
        return
    if path.is_dir():
        for inner in sorted(path.iterdir()):
            yield from _variable_files(inner)
    # The name of a host may hold dots, so only what Ansible knows for an ending is one.
    elif not path.name.endswith(_PASSED_OVER):
        yield path
