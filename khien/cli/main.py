"""Entry point of the `khien` command: language, exit codes, nothing slow before it is needed."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        # Asked by scripts and health checks: answered before anything is imported.
        from khien import __version__

        print(f"khien {__version__}")
        return
    try:
        sys.exit(_run())
    except BrokenPipeError:
        # The reader of our output went away (`| head`): no error, and nothing more to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _run() -> int:
    from khien.errors import KhienError
    from khien.i18n import choose_language

    try:
        choose_language(_wanted_language(sys.argv[1:]))
        from khien.cli.app import app
        from khien.cli.typer_words import run

        return run(app, "khien")
    except KhienError as error:
        from khien.domain.text import safe_lines
        from khien.i18n import _

        print(_("khien: {message}").format(message=safe_lines(error)), file=sys.stderr)
        return error.exit_code


def _wanted_language(arguments: list[str]) -> str | None:
    """Find --lang before the options are parsed: their help texts are in that language already."""
    for position, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            return argument.partition("=")[2]
        if argument == "--lang" and position + 1 < len(arguments):
            return arguments[position + 1]
    if os.environ.get("KHIEN_LANG"):
        return None
    from khien.adapters.config_toml import load_settings

    return load_settings(os.environ).settings.language or None


if __name__ == "__main__":
    main()
