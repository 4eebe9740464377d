"""Settings: three layers, their order, where each value came from, and what a mistake is answered."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from khien.adapters.config_toml import environment_name, load_settings
from khien.application.settings import LoadedSettings, Settings, masked_secret
from khien.errors import InputError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / ".config" / "khien").mkdir(parents=True)
    return tmp_path / "home"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def load(home: Path, *, is_root: bool = False, **environ: str) -> LoadedSettings:
    return load_settings(
        {"HOME": str(home), **environ},
        system_file=home.parent / "etc" / "khien.toml",
        is_root=is_root,
        working_directory=home,
    )


def test_without_any_file_everything_is_a_default(home: Path) -> None:
    loaded = load(home)

    assert loaded.settings == Settings(
        state_dir=home / ".local/state/khien",
        runtime_dir=home / ".local/state/khien/run",
        known_hosts=home / ".ssh/known_hosts",
        waivers=home / ".local/state/khien/waivers",
    )
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.files == ()


def test_a_later_layer_wins_and_each_value_knows_where_it_came_from(home: Path) -> None:
    system = write(
        home.parent / "etc" / "khien.toml", "# ours\nforks = 5\nlanguage = 'vi'\nread_only = true\n"
    )
    user = write(home / ".config/khien/khien.toml", "\nforks = 6\nlanguage = 'en'\n")

    loaded = load(home, KHIEN_FORKS="7")

    assert (loaded.settings.forks, loaded.settings.language, loaded.settings.read_only) == (7, "en", True)
    assert loaded.origins["forks"] == "environment KHIEN_FORKS"
    assert loaded.origins["language"] == f"{user}:3"
    assert loaded.origins["read_only"] == f"{system}:4"
    assert loaded.origins["state_dir"] == "default"
    assert loaded.files == (system, user)


def test_khien_config_takes_the_place_of_the_users_file_only(home: Path) -> None:
    write(home.parent / "etc" / "khien.toml", "forks = 5\n")
    write(home / ".config/khien/khien.toml", "read_only = true\n")
    extra = write(home / "extra.toml", "language = 'vi'\n")

    loaded = load(home, KHIEN_CONFIG="~/extra.toml")

    assert (loaded.settings.forks, loaded.settings.language, loaded.settings.read_only) == (5, "vi", False)
    assert loaded.origins["language"] == f"{extra}:1"


def test_a_missing_file_that_was_named_is_an_error(home: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml: .*KHIEN_CONFIG"):
        load(home, KHIEN_CONFIG="nowhere.toml")


def test_paths_in_a_file_start_at_the_file_and_in_a_variable_where_one_stands(home: Path) -> None:
    file = write(
        home / ".config/khien/khien.toml",
        'inventory = ["hosts", "/srv/inventory", "~/more", "web1.example.org,"]\nstate_dir = "state"\n',
    )

    loaded = load(home, KHIEN_KNOWN_HOSTS="keys")

    assert loaded.settings.inventory == (
        str(file.parent / "hosts"),
        "/srv/inventory",
        str(home / "more"),
        "web1.example.org,",
    )
    assert loaded.settings.state_dir == file.parent / "state"
    assert loaded.settings.runtime_dir == file.parent / "state" / "run"
    assert loaded.settings.known_hosts == home / "keys"


def test_several_inventories_in_a_variable_are_separated_by_commas(home: Path) -> None:
    assert load(home, KHIEN_INVENTORY="/a, b").settings.inventory == ("/a", str(home / "b"))


def test_root_keeps_its_state_in_the_systems_place(home: Path) -> None:
    assert load(home, is_root=True).settings.state_dir == Path("/var/lib/khien")


def test_the_runtime_directory_is_never_one_that_logging_out_removes(home: Path) -> None:
    loaded = load(home, XDG_RUNTIME_DIR="/run/user/1000")

    assert loaded.settings.runtime_dir == home / ".local/state/khien/run"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("forks = 4\n\nfroks = 5\n", 3, "“froks”. Did you mean “forks”?"),
        ("forks = 4\n[zzzz]\na = 1\n", 2, "The settings are: cancel_grace_seconds, "),
        ("forks = 'many'\n", 1, "“forks” must be a whole number from 1 to 500, not 'many'."),
        ("forks = true\n", 1, "a whole number from 1 to 500, not True."),
        ("forks = 0\n", 1, "from 1 to 500, not 0."),
        ("stale_after_hours = nan\n", 1, "a number from 1 to 8760, not nan."),
        ("\n'language' = 'fr'\n", 2, "“language” must be one of en, vi, not 'fr'."),
        ("read_only = 'no'\n", 1, "“read_only” must be true or false, not 'no'."),
        ("inventory = 'hosts'\n", 1, "“inventory” must be a list of texts, not 'hosts'."),
        ("state_dir = ''\n", 1, "“state_dir” must be a path, not ''."),
        ("forks = 4\nlanguage = \n", 2, "not valid TOML"),
        ("forks = 4\nforks = 5\n", 2, "not valid TOML"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_line_and_what_was_expected(
    home: Path, text: str, line: int, expected: str
) -> None:
    file = write(home / ".config/khien/khien.toml", text)

    with pytest.raises(InputError) as caught:
        load(home)

    assert (caught.value.path, caught.value.line) == (file, line)
    assert expected in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_mistake_in_a_variable_names_the_variable(home: Path) -> None:
    with pytest.raises(InputError, match="environment KHIEN_FORKS: “forks” must be a whole number"):
        load(home, KHIEN_FORKS="ten")


def test_a_file_that_is_not_text_is_refused_with_its_line(home: Path) -> None:
    file = home / ".config/khien/khien.toml"
    file.write_bytes(b"forks = 4\n# \xff\n")
    file.chmod(0o600)

    with pytest.raises(InputError, match=r"khien\.toml:2: .*UTF-8"):
        load(home)


def test_a_file_that_everybody_may_write_is_refused(home: Path) -> None:
    write(home / ".config/khien/khien.toml", "forks = 4\n").chmod(0o602)

    with pytest.raises(InputError, match="chmod o-w"):
        load(home)


def test_a_directory_in_the_place_of_the_file_is_refused(home: Path) -> None:
    (home / ".config/khien/khien.toml").mkdir()

    with pytest.raises(InputError, match="cannot be read"):
        load(home)


def test_a_bad_store_url_is_not_repeated_in_the_message(home: Path) -> None:
    write(home / ".config/khien/khien.toml", "store_url = ['postgresql://u:geheim@db/khien']\n")

    with pytest.raises(InputError) as caught:
        load(home)

    assert "geheim" not in str(caught.value)


def test_variables_that_name_no_setting_are_reported(home: Path) -> None:
    assert load(home, KHIEN_FROKS="3", KHIEN_FORKS="").unused_environment == ("KHIEN_FROKS",)


def test_the_language_is_set_by_the_variable_that_the_rest_of_the_program_reads(home: Path) -> None:
    assert environment_name("language") == "KHIEN_LANG"
    assert load(home, KHIEN_LANG="vi").settings.language == "vi"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://khien:geheim@db.example.org/khien", "postgresql://khien:***@db.example.org/khien"),
        ("postgresql+psycopg://khien:ge@he:im/x@db/khien", "postgresql+psycopg://khien:***@db/khien"),
        ("postgresql://db/khien?user=a&password=geheim&x=1", "postgresql://db/khien?user=a&password=***&x=1"),
        ("sqlite:////var/lib/khien/khien.db", "sqlite:////var/lib/khien/khien.db"),
        ("postgresql://db.example.org:5432/khien", "postgresql://db.example.org:5432/khien"),
    ],
)
def test_passwords_in_a_url_are_masked(url: str, shown: str) -> None:
    assert masked_secret(url) == shown


def test_loading_settings_imports_nothing_heavy() -> None:
    code = (
        "import sys, khien.adapters.config_toml as c; c.load_settings({'HOME': '/nonexistent'});"
        "print(*sorted({'pydantic', 'rich', 'sqlalchemy', 'yaml', 'jinja2', 'typer'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
