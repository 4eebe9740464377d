"""One door for all files of other tools: the format is recognised, the bytes are fingerprinted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from khien.adapters.foreign.inspec import read_inspec
from khien.adapters.foreign.lynis import read_lynis
from khien.adapters.foreign.openscap import read_openscap
from khien.application.import_results import ForeignFile
from khien.domain.imported import ForeignReport
from khien.errors import InputError, UsageError
from khien.i18n import _

Reader = Callable[[BinaryIO, Path], tuple[ForeignReport, ...]]

_READERS: Mapping[str, Reader] = {"openscap": read_openscap, "lynis": read_lynis, "inspec": read_inspec}
FORMATS = ("auto", *_READERS)
_LOOKED_AT = 4096
_BOM = b"\xef\xbb\xbf"


class ForeignResults:
    """The ResultReader port over files."""

    def read(self, path: Path, format_name: str) -> ForeignFile:
        """Return what a file says."""
        if format_name not in FORMATS:
            raise UsageError(_("--format takes one of: {names}.").format(names=", ".join(FORMATS)))
        try:
            with path.open("rb") as file:
                name = _recognise(file.read(_LOOKED_AT), path) if format_name == "auto" else format_name
                file.seek(0)
                # The same open file for both, so that what is fingerprinted is what is read.
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                return ForeignFile(path, sha256, _READERS[name](file, path))
        except OSError as error:
            raise InputError(
                _("cannot be read: {reason}").format(reason=error.strerror or error), path=path
            ) from error


def _recognise(start: bytes, path: Path) -> str:
    text = start.removeprefix(_BOM).lstrip()
    if text.startswith(b"<"):
        return "openscap"
    if text.startswith(b"{"):
        return "inspec"
    if text.startswith(b"# Lynis") or b"\nlynis_version=" in b"\n" + text or b"report_version_major=" in text:
        return "lynis"
    raise InputError(
        _(
            "this is no result of OpenSCAP (ARF or XCCDF), Lynis (report.dat) or InSpec (JSON); "
            "say which it is with --format"
        ),
        path=path,
    )
