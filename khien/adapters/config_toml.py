"""Settings from TOML files and the environment; imports little, because every command starts here."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path

from khien.application.settings import LoadedSettings, Settings
from khien.errors import InputError
from khien.i18n import _

SYSTEM_FILE = Path("/etc/khien/khien.toml")
_PREFIX = "KHIEN_"
_CONFIG_VARIABLE = "KHIEN_CONFIG"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_FIELDS: Mapping[str, Field[object]] = {f.name: f for f in fields(Settings)}


def load_settings(
    environ: Mapping[str, str],
    *,
    system_file: Path = SYSTEM_FILE,
    is_root: bool | None = None,
    working_directory: Path | None = None,
) -> LoadedSettings:
    """Read the system file, the user's file (or KHIEN_CONFIG in its place) and KHIEN_* variables.

    Args:
        environ: the environment; HOME and the XDG variables in it say where the user's file is.
        system_file: the file for everybody on this machine.
        is_root: whether the defaults of root apply; None asks the system.
        working_directory: where relative paths from the environment start; None: the current one.

    Raises:
        InputError: a file or a variable holds something unusable; file, line and expectation are named.
    """
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - HOME may be unset
    here = working_directory or Path.cwd()
    values: dict[str, object] = {}
    origins = dict.fromkeys(_FIELDS, "default")
    files: list[Path] = []
    named = environ.get(_CONFIG_VARIABLE)
    if named:
        user_file = here / _expand(named, home)
    else:
        user_file = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "khien" / "khien.toml"
    for path, required in ((system_file, False), (user_file, bool(named))):
        if _read_file(path, home, values, origins, required=required):
            files.append(path)
    unused = _read_environment(environ, here, home, values, origins)
    root = os.geteuid() == 0 if is_root is None else is_root
    _fill_places(values, environ, home, root=root)
    return LoadedSettings(Settings(**values), origins, tuple(files), unused)  # type: ignore[arg-type]


def environment_name(setting: str) -> str:
    """Return the variable that sets a setting."""
    return str(_FIELDS[setting].metadata.get("environment", _PREFIX + setting.upper()))


def _fill_places(values: dict[str, object], environ: Mapping[str, str], home: Path, *, root: bool) -> None:
    if "state_dir" not in values:
        state_home = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state")
        values["state_dir"] = Path("/var/lib/khien") if root else state_home / "khien"
    if "runtime_dir" not in values:
        run = Path("/run/khien")
        usable = root and os.access(run if run.exists() else run.parent, os.W_OK)
        values["runtime_dir"] = run if usable else Path(str(values["state_dir"])) / "run"
    values.setdefault("known_hosts", home / ".ssh" / "known_hosts")
    values.setdefault("waivers", _beside_inventory(values) / "waivers")


def _beside_inventory(values: dict[str, object]) -> Path:
    """Return the folder of the first inventory; never the inventory itself, of which Ansible reads all."""
    inventory = values.get("inventory")
    paths = [item for item in inventory if "," not in item] if isinstance(inventory, tuple) else []
    return Path(paths[0]).parent if paths else Path(str(values["state_dir"]))


def _read_file(
    path: Path, home: Path, values: dict[str, object], origins: dict[str, str], *, required: bool
) -> bool:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise InputError(
                _("The file that {variable} names does not exist.").format(variable=_CONFIG_VARIABLE),
                path=path,
            ) from None
        return False
    except OSError as error:
        raise InputError(
            _("The file cannot be read: {problem}.").format(problem=error.strerror), path=path
        ) from error
    if mode & stat.S_IWOTH:
        raise InputError(
            _("Everybody on this machine may write this file. Take that right away: chmod o-w {path}").format(
                path=path
            ),
            path=path,
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(_("The file is not UTF-8 text."), path=path, line=line) from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        last = text.count("\n") + 1
        raise InputError(
            _("This is not valid TOML: {problem}.").format(problem=error),
            path=path,
            line=int(at[1]) if at else last,
        ) from error
    for key, value in table.items():
        line = _line_of(text, key)
        if key not in _FIELDS:
            raise InputError(_unknown(key), path=path, line=line)
        problem = _problem(key, value)
        if problem:
            raise InputError(problem, path=path, line=line)
        values[key] = _converted(key, value, path.parent, home)
        origins[key] = f"{path}:{line}"
    return True


def _line_of(text: str, key: str) -> int:
    """Find the line where a key or a table of that name stands; tomllib does not keep it."""
    quoted = re.escape(key)
    begins = re.compile(rf"""\s*(?:\[+\s*)?(?:{quoted}|"{quoted}"|'{quoted}')\s*[=.\]]""")
    return next((n for n, line in enumerate(text.splitlines(), 1) if begins.match(line)), 1)


def _unknown(key: str) -> str:
    import difflib  # costs milliseconds and is needed for this message only

    close = difflib.get_close_matches(key, _FIELDS, n=1)
    message = _("There is no setting “{key}”.").format(key=key)
    if close:
        return message + " " + _("Did you mean “{name}”?").format(name=close[0])
    return message + " " + _("The settings are: {names}.").format(names=", ".join(sorted(_FIELDS)))


def _read_environment(
    environ: Mapping[str, str],
    here: Path,
    home: Path,
    values: dict[str, object],
    origins: dict[str, str],
) -> tuple[str, ...]:
    names = {environment_name(key): key for key in _FIELDS}
    for name, key in names.items():
        raw = environ.get(name)
        if not raw:
            continue
        value = _from_words(key, raw)
        problem = _problem(key, value)
        if problem:
            raise InputError(problem, path=f"environment {name}")
        values[key] = _converted(key, value, here, home)
        origins[key] = f"environment {name}"
    known = {*names, _CONFIG_VARIABLE}
    return tuple(sorted(name for name in environ if name.startswith(_PREFIX) and name not in known))


def _from_words(key: str, raw: str) -> object:
    """Give a variable's text the type of its setting, or leave it as text for the check to refuse."""
    kind = _FIELDS[key].type
    if kind == "tuple[str, ...]":
        return [part for part in (p.strip() for p in raw.split(",")) if part]
    if kind == "bool":
        word = raw.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else raw
    if kind in ("int", "float"):
        try:
            return int(raw) if kind == "int" else float(raw)
        except ValueError:
            return raw
    return raw


def _problem(key: str, value: object) -> str:
    """Say what is wrong with a value, or nothing."""
    setting = _FIELDS[key]
    expected = _expected(setting)
    if not _fits(setting, value):
        return _("“{key}” must be {expected}, not {value}.").format(
            key=key, expected=expected, value="***" if setting.metadata.get("secret") else repr(value)
        )
    return ""


def _fits(setting: Field[object], value: object) -> bool:
    limits = setting.metadata
    match setting.type:
        case "bool":
            return isinstance(value, bool)
        case "int" | "float":
            number = (int,) if setting.type == "int" else (int, float)
            if isinstance(value, bool) or not isinstance(value, number):
                return False
            # Written so that "not a number" fits nowhere.
            return bool(limits["minimum"] <= value <= limits["maximum"])
        case "tuple[str, ...]":
            return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
        case "Path":
            return isinstance(value, str) and bool(value) and "\0" not in value
        case _:
            return isinstance(value, str) and value in limits.get("choices", (value,))


def _expected(setting: Field[object]) -> str:
    limits = setting.metadata
    match setting.type:
        case "bool":
            return _("true or false")
        case "int":
            return _("a whole number from {minimum} to {maximum}").format(**limits)
        case "float":
            return _("a number from {minimum} to {maximum}").format(**limits)
        case "tuple[str, ...]":
            return _("a list of texts")
        case "Path":
            return _("a path")
        case _:
            choices = [choice for choice in limits.get("choices", ()) if choice]
            return _("one of {choices}").format(choices=", ".join(choices)) if choices else _("a text")


def _converted(key: str, value: object, base: Path, home: Path) -> object:
    match _FIELDS[key].type:
        case "Path":
            return base / _expand(str(value), home)
        case "tuple[str, ...]" if isinstance(value, list):
            # "host1,host2" and "host1," are lists of hosts in Ansible's own notation, not paths.
            return tuple(item if "," in item else str(base / _expand(item, home)) for item in value)
        case "float" if isinstance(value, int):
            return float(value)
        case _:
            return value


def _expand(path: str, home: Path) -> Path:
    return home / path[2:] if path.startswith("~/") else home if path == "~" else Path(path)
