"""Turns the host lists that agencies keep into hosts of the inventory, and says of every refused row why."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from khien.application import list_headings as heading
from khien.application.list_cells import (
    RefusedCellError,
    is_windows,
    read_address,
    read_level,
    read_name,
    read_port,
    read_role,
    role_of_system,
)
from khien.domain.host import HostRole
from khien.domain.names import slug
from khien.domain.text import safe_text
from khien.i18n import _

_HEADINGS_WITHIN = 40
_CLOSING = ("tong cong", "tong so", "total", "nguoi lap", "ghi chu", "thu truong", "nguoi ky")
_NUMBERING = re.compile(r"(?:[IVXLC]+|[A-Za-z]|\d+)[.)]?")
# Words with which the names of agencies begin; a row of such a title alone heads the rows below it.
_AGENCY = re.compile(
    r"(?:[ivxlc]+ |\d+ |[a-z] )?(so|ubnd|uy ban|ban|chi cuc|cuc|trung tam|van phong|huyen|thanh pho|thi xa"
    r"|thi tran|quan|xa|phuong|benh vien|truong|don vi|co quan|thanh tra|department|agency|office) .+"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, under the number by which people find it."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table; a CSV file is one without a name."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ListedHost:
    """One machine as a list names it."""

    name: str
    agency: str
    agency_name: str
    address: str = ""
    port: int | None = None
    user: str = ""
    role: HostRole | None = None
    level: int | None = None
    owner: str = ""
    site: str = ""
    window: str = ""
    is_windows: bool = False


@dataclass(frozen=True, slots=True)
class RowRemark:
    """What is to be said of one row."""

    sheet: str
    row: int
    text: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a list."""

    hosts: tuple[ListedHost, ...]
    """By agency and name."""
    refused: tuple[RowRemark, ...]
    notes: tuple[RowRemark, ...]
    """Rows that were taken, though not word for word."""


def import_hosts(
    sheets: Sequence[Sheet], *, agency: str = "", taken: Mapping[str, str] | None = None
) -> ImportResult:
    """Read hosts out of tables.

    Args:
        sheets: the tables of one file.
        agency: name or slug of the agency of rows that name none.
        taken: host names, in small letters, that the inventory has already, and where.
    """
    reading = _Reading(agency, dict(taken or {}))
    for sheet in sheets:
        reading.sheet(sheet)
    hosts = tuple(sorted(reading.hosts, key=lambda host: (host.agency, host.name)))
    return ImportResult(hosts, tuple(reading.refused), tuple(reading.notes))


@dataclass(slots=True)
class _Reading:
    agency: str
    names: dict[str, str]
    addresses: dict[tuple[str, int | None], str] = field(default_factory=dict)
    agency_names: dict[str, str] = field(default_factory=dict)
    hosts: list[ListedHost] = field(default_factory=list)
    refused: list[RowRemark] = field(default_factory=list)
    notes: list[RowRemark] = field(default_factory=list)

    def sheet(self, sheet: Sheet) -> None:
        columns: Mapping[str, int] | None = None
        section = ""
        for position, row in enumerate(sheet.rows):
            if found := heading.columns_of(row.cells):
                columns = found  # headings come again at the top of every printed page
                if heading.PASSWORD in found:
                    text = _("The column of passwords was left out: passwords belong in Ansible's vault.")
                    self.notes.append(RowRemark(sheet.name, row.number, text))
            elif columns is None:
                if position >= _HEADINGS_WITHIN:
                    break
                section = _title(row.cells) or section
            elif title := _title(row.cells):
                section = title
            elif not _says_nothing(row.cells, columns):
                self._row(sheet.name, row, columns, section)
        if columns is None and sheet.rows:
            text = _("There is no row of headings: expected are the name or the address, and one more.")
            self.refused.append(RowRemark(sheet.name, sheet.rows[0].number, text))

    def _row(self, sheet: str, row: Row, columns: Mapping[str, int], section: str) -> None:
        def cell(name: str) -> str:
            position = columns.get(name, -1)
            return safe_text(row.cells[position], 200) if 0 <= position < len(row.cells) else ""

        remarks: list[str] = []
        try:
            host = self._host(cell, section, remarks)
            self._claim(host, _place(sheet, row.number))
        except RefusedCellError as exc:
            self.refused.append(RowRemark(sheet, row.number, str(exc)))
        else:
            self.hosts.append(host)
            self.notes += [RowRemark(sheet, row.number, text) for text in remarks]

    def _host(self, cell: Callable[[str], str], section: str, remarks: list[str]) -> ListedHost:
        dialled = read_address(cell(heading.ADDRESS))
        listed, system = cell(heading.NAME), cell(heading.SYSTEM)
        name = read_name(listed, dialled.address)
        if listed and name != listed:
            remarks.append(_("{listed} became {name}.").format(listed=listed, name=name))
        if dialled.others:
            remarks.append(
                _("{address} is dialled; left out: {others}.").format(
                    address=dialled.address, others=", ".join(dialled.others)
                )
            )
        agency, agency_name = self._agency(cell(heading.AGENCY) or section or self.agency)
        role = read_role(cell(heading.ROLE)) or role_of_system(system)
        if role is None:
            remarks.append(_("What {name} is stands nowhere; it counts as a server.").format(name=name))
        return ListedHost(
            name=name,
            agency=agency,
            agency_name=agency_name,
            address="" if dialled.address == name else dialled.address,
            port=read_port(cell(heading.PORT)) or dialled.port,
            user=cell(heading.USER),
            role=role,
            level=read_level(cell(heading.LEVEL)),
            owner=_owner(cell(heading.OWNER), cell(heading.DEPARTMENT)),
            site=cell(heading.SITE),
            window=cell(heading.WINDOW),
            is_windows=is_windows(system),
        )

    def _agency(self, said: str) -> tuple[str, str]:
        """Return slug and name; of a name spelled in several ways, the first counts."""
        key = slug(said)
        if not key:
            raise RefusedCellError(_("The row names no agency; give it with --agency."))
        return key, self.agency_names.setdefault(key, "" if said == key else said)

    def _claim(self, host: ListedHost, place: str) -> None:
        if before := self.names.get(host.name.lower()):
            raise RefusedCellError(
                _("{name} is there already: {place}.").format(name=host.name, place=before)
            )
        dialled = (host.address or host.name, host.port)
        if before := self.addresses.get(dialled):
            raise RefusedCellError(
                _("{address} is there already: {place}.").format(address=dialled[0], place=before)
            )
        self.names[host.name.lower()] = self.addresses[dialled] = place


def _place(sheet: str, row: int) -> str:
    if sheet:
        return _("sheet {sheet}, row {row}").format(sheet=sheet, row=row)
    return _("row {row}").format(row=row)


def _owner(person: str, department: str) -> str:
    if person and department:
        return f"{person} ({department})"
    return person or department


def _title(cells: Sequence[str]) -> str:
    """Return the agency that a row of a title alone names; empty for any other row."""
    said = [cell for cell in cells if cell and not _NUMBERING.fullmatch(cell)]
    if len(said) != 1 or not _AGENCY.fullmatch(slug(said[0], " ")):
        return ""
    return safe_text(re.sub(r"^(?:[IVXLC]+|\d+|[A-Z])[.):]\s*", "", said[0]), 200)


def _says_nothing(cells: Sequence[str], columns: Mapping[str, int]) -> bool:
    """Whether a row is a remark, a sum or a signature instead of a machine."""
    said = [cell for cell in cells if cell]
    if slug(said[0], " ").startswith(_CLOSING):
        return True
    machine = [columns[name] for name in (heading.NAME, heading.ADDRESS) if name in columns]
    return len(said) == 1 and not any(position < len(cells) and cells[position] for position in machine)
