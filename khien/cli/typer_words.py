"""Says the command line's own words, headings and errors of use, in the chosen language."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer
from typer.main import get_command

from khien.domain.text import safe_lines
from khien.i18n import _


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark a message for the catalogues; it is translated when it is shown."""
    return message


# Typer hides the family of its errors of use; BadParameter, which it shows, is their child.
_UsageError: Any = typer.BadParameter.__mro__[1]

if TYPE_CHECKING:
    _Formatter: Any = object
else:
    _Formatter = typer.Context.formatter_class

_HEADINGS = {"Arguments": N_("Arguments"), "Options": N_("Options"), "Commands": N_("Commands")}
_REMARKS = {
    "Show this message and exit.": N_("Show this message and exit."),
    "Install completion for the current shell.": N_("Install completion for the current shell."),
    "Show completion for the current shell, to copy it or customize the installation.": N_(
        "Show completion for the current shell, to copy it or customize the installation."
    ),
}
_ERRORS = (
    (r"No such option: (?P<name>\S+?)\.?(?: .*)?", N_("There is no option {name}.")),
    (r"No such command '(?P<name>.*?)'\..*", N_("There is no command {name}.")),
    (r"Missing command\.", N_("A command is missing.")),
    (r"Missing argument '(?P<name>.*?)'\..*", N_("The argument {name} is missing.")),
    (r"Missing option '(?P<name>.*?)'\..*", N_("The option {name} is missing.")),
    (r"Option '(?P<name>.*?)' requires .*", N_("The option {name} needs a value.")),
    (r"Option '(?P<name>.*?)' does not take a value\.", N_("The option {name} takes no value.")),
    (r"Got unexpected extra arguments?(?:\(s\))? \((?P<names>.*)\)", N_("Too many arguments: {names}")),
    (r"Invalid value for '?(?P<name>.*?)'?: (?P<problem>.*)", N_("The value of {name} is wrong: {problem}")),
)


class _Words(_Formatter):  # type: ignore[misc]
    """Help with headings and remarks of the chosen language."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how a command is called."""
        words = args.replace("[OPTIONS]", _("[OPTIONS]")).replace("COMMAND [ARGS]...", _("COMMAND [ARGS]..."))
        super().write_usage(prog, words, prefix or _("Usage: "))

    def write_heading(self, heading: str) -> None:
        """Write a heading."""
        super().write_heading(_(_HEADINGS[heading]) if heading in _HEADINGS else heading)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write a list of options, arguments or commands."""
        super().write_dl([(first, _remark(second)) for first, second in rows], col_max, col_spacing)


def _remark(text: str) -> str:
    words = _(_REMARKS[text]) if text in _REMARKS else text
    return words.replace("[required]", _("[required]")).replace("[default: ", _("[default: "))


def run(app: typer.Typer, name: str) -> int:
    """Run a command line and return its exit code."""
    command = get_command(app)
    _speak(command)
    try:
        result = command.main(prog_name=name, standalone_mode=False)
    except _UsageError as error:
        return _refuse(error)
    except typer.Abort:
        print(_("Aborted."), file=sys.stderr)
        return 1
    return result if isinstance(result, int) else 0


def _speak(command: Any) -> None:  # noqa: ANN401 - Typer hides the type of its commands
    base = command.context_class
    command.context_class = type(base.__name__, (base,), {"formatter_class": _Words})
    for child in getattr(command, "commands", {}).values():
        _speak(child)


def _refuse(error: Any) -> int:  # noqa: ANN401 - and that of its errors
    context = error.ctx
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return int(error.exit_code)
    if context is not None:
        hint = _("`{command} -h` explains it.").format(command=context.command_path)
        print(f"{context.get_usage()}\n{hint}\n", file=sys.stderr)
    words = safe_lines(_error_words(error.format_message()))
    print(_("khien: {message}").format(message=words), file=sys.stderr)
    return int(error.exit_code)


def _error_words(message: str) -> str:
    message = message.replace("' / '", "/")
    for pattern, words in _ERRORS:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return _(words).format(**found.groupdict())
    return message
