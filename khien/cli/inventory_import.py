"""`khien inventory import`: lists as agencies keep them become inventory files, with a report of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from khien.adapters.inventory_files import InventoryFiles
from khien.adapters.inventory_writer import InventoryFile, inventory_files, write_inventory_files
from khien.application.import_inventory import ImportResult, RowRemark, Sheet, import_hosts
from khien.cli.context import JsonOption, print_json, say
from khien.cli.exit_codes import ExitCode
from khien.domain.text import safe_lines, safe_text
from khien.i18n import _, ngettext

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help=_("A CSV file or an Excel workbook."))]
OutputOption = Annotated[
    Path, typer.Option("-o", "--output", file_okay=False, help=_("Folder of the inventory files."))
]
AgencyOption = Annotated[
    str, typer.Option("-a", "--agency", help=_("Name of the agency of rows that name none."))
]
ForceOption = Annotated[bool, typer.Option("--force", help=_("Overwrite files that say something else."))]
DryRunOption = Annotated[
    bool, typer.Option("-n", "--dry-run", help=_("Show what would be written; write nothing."))
]


def import_list(
    file: FileArgument,
    output: OutputOption = Path("inventory"),
    agency: AgencyOption = "",
    *,
    dry_run: DryRunOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Turn a list of hosts, CSV or Excel, into inventory files."""
    # Reading workbooks takes 50 ms to import, which no other command should pay.
    from khien.adapters.spreadsheets import read_sheets

    result = _read(read_sheets(file), agency, output)
    files = inventory_files(result.hosts, output)
    if as_json:
        print_json(_document(result, files, written=not dry_run))
    else:
        _report(result, files, with_new=dry_run)
    if not dry_run:
        write_inventory_files(files, overwrite=force)
    if not result.hosts:
        raise typer.Exit(ExitCode.USAGE)
    if result.refused:
        raise typer.Exit(ExitCode.FINDINGS)


def _read(sheets: Sequence[Sheet], agency: str, output: Path) -> ImportResult:
    """Read the hosts; names that other files of the folder have already are taken."""
    result = import_hosts(sheets, agency=agency)
    ours = {output / f"{host.agency}.yml" for host in result.hosts}
    taken = {name: place for name, (path, place) in _names_in(output).items() if path not in ours}
    return import_hosts(sheets, agency=agency, taken=taken) if taken else result


def _names_in(folder: Path) -> Mapping[str, tuple[Path, str]]:
    if not folder.is_dir():
        return {}
    defined = InventoryFiles().read([str(folder)]).hosts
    return {host.name.lower(): (host.place.path, str(host.place)) for host in defined}


def _report(result: ImportResult, files: Sequence[InventoryFile], *, with_new: bool) -> None:
    for remark in result.refused:
        print(_("Refused, {row}: {why}").format(row=_row(remark), why=remark.text))
    for remark in result.notes:
        print(_("Note, {row}: {what}").format(row=_row(remark), what=remark.text))
    for file in files:
        if not file.is_changed:
            print(_("{path} stays as it is.").format(path=file.path))
        elif file.former is None and not with_new:
            number = sum(1 for host in result.hosts if f"{host.agency}.yml" == file.path.name)
            print(
                ngettext(
                    "{path} is new, with {number} host.", "{path} is new, with {number} hosts.", number
                ).format(path=file.path, number=number)
            )
        else:
            print(safe_lines(file.difference()), end="")
    say(
        _("{taken} hosts taken, {refused} rows refused.").format(
            taken=len(result.hosts), refused=len(result.refused)
        )
    )


def _row(remark: RowRemark) -> str:
    if remark.sheet:
        return _("sheet {sheet}, row {row}").format(sheet=safe_text(remark.sheet), row=remark.row)
    return _("row {row}").format(row=remark.row)


def _document(result: ImportResult, files: Sequence[InventoryFile], *, written: bool) -> dict[str, object]:
    def rows(remarks: Sequence[RowRemark]) -> list[dict[str, object]]:
        return [{"sheet": r.sheet, "row": r.row, "text": r.text} for r in remarks]

    return {
        "schema": "khien.inventory-import/1",
        "hosts": [{"name": host.name, "agency": host.agency} for host in result.hosts],
        "refused": rows(result.refused),
        "notes": rows(result.notes),
        "files": [
            {"path": str(f.path), "exists": f.former is not None, "changed": f.is_changed} for f in files
        ],
        "dry_run": not written,
    }
