"""Turning the lists that agencies keep into hosts."""

from __future__ import annotations

import pytest

from khien.application.import_inventory import ImportResult, ListedHost, Row, Sheet, import_hosts
from khien.application.list_headings import columns_of, field_of
from khien.domain.host import HostRole


def sheet(*rows: tuple[str, ...], name: str = "") -> Sheet:
    return Sheet(name, tuple(Row(number, cells) for number, cells in enumerate(rows, start=1) if any(cells)))


def one(*rows: tuple[str, ...], agency: str = "so_y_te") -> ListedHost:
    result = import_hosts([sheet(*rows)], agency=agency)
    assert result.refused == ()
    (host,) = result.hosts
    return host


def refusals(result: ImportResult) -> dict[int, str]:
    return {remark.row: remark.text for remark in result.refused}


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Tên máy", "name"),
        ("TÊN  MÁY TÍNH:", "name"),
        ("Tên máy\nchủ", "name"),
        ("Hostname / Tên máy", "name"),
        ("Địa chỉ IP", "address"),
        ("dia chi ip", "address"),
        ("IP (LAN)", "address"),
        ("Đia chỉ  lP", "address"),
        ("Hệ điều hành", "system"),
        ("Đơn vị", "agency"),
        ("Phòng/ban", "department"),
        ("Cấp độ (1-5)", "level"),
        ("Cấp độ ATTT", "level"),
        ("Người quản lý", "owner"),
        ("Loại", "role"),
        ("Mật khẩu", "password"),
        ("STT", "ignored"),
        ("Ghi chú", "ignored"),
        ("Màu sắc", None),
        ("", None),
    ],
)
def test_headings_are_recognised_however_they_are_spelled(heading: str, field: str | None) -> None:
    assert field_of(heading) == field


def test_a_row_of_values_is_no_row_of_headings() -> None:
    assert columns_of(("1", "web1", "198.18.0.1", "Ubuntu Server 22.04", "Sở Y tế")) is None


def test_a_list_as_offices_keep_them_becomes_hosts() -> None:
    result = import_hosts(
        [
            sheet(
                ("SỞ Y TẾ", "", "", "", "", ""),
                ("DANH SÁCH MÁY CHỦ, MÁY TRẠM NĂM 2026", "", "", "", "", ""),
                ("", "", "", "", "", ""),
                ("STT", "Tên máy", "Địa chỉ IP", "Loại", "Cấp độ", "Người quản lý"),
                ("1", "web1", "198.18.0.1", "Máy chủ", "3", "Nguyễn Văn A"),
                ("2", "PC-KETOAN", "198.18.0.2", "Máy trạm", "Cấp độ 2", ""),
                ("STT", "Tên máy", "Địa chỉ IP", "Loại", "Cấp độ", "Người quản lý"),
                ("3", "ws3.example.org", "DHCP", "PC", "II", ""),
                ("Tổng cộng: 3 máy", "", "", "", "", ""),
                ("", "", "", "", "Người lập biểu", ""),
            )
        ]
    )

    assert result.refused == ()
    assert [(h.name, h.address, h.role, h.level, h.agency) for h in result.hosts] == [
        ("PC-KETOAN", "198.18.0.2", HostRole.WORKSTATION, 2, "so_y_te"),
        ("web1", "198.18.0.1", HostRole.SERVER, 3, "so_y_te"),
        ("ws3.example.org", "", HostRole.WORKSTATION, 2, "so_y_te"),
    ]
    assert result.hosts[1].owner == "Nguyễn Văn A"


def test_titles_between_rows_name_the_agency_of_those_below() -> None:
    result = import_hosts(
        [
            sheet(
                ("TT", "Tên", "IP"),
                ("I", "Sở Y tế", ""),
                ("1", "a", "198.18.0.1"),
                ("II", "UBND huyện A", ""),
                ("1", "b", "198.18.0.2"),
            )
        ]
    )

    assert [(h.name, h.agency, h.agency_name) for h in result.hosts] == [
        ("a", "so_y_te", "Sở Y tế"),
        ("b", "ubnd_huyen_a", "UBND huyện A"),
    ]


def test_an_agency_spelled_in_two_ways_is_one() -> None:
    result = import_hosts(
        [sheet(("Tên", "IP", "Đơn vị"), ("a", "198.18.0.1", "Sở Y tế"), ("b", "198.18.0.2", "SỞ Y  TẾ"))]
    )

    assert {(h.agency, h.agency_name) for h in result.hosts} == {("so_y_te", "Sở Y tế")}


def test_a_name_with_accents_and_spaces_becomes_one_that_can_be_dialled() -> None:
    result = import_hosts([sheet(("Tên máy", "IP"), ("Máy Kế toán (1)", "198.18.0.1"))], agency="x")

    assert result.hosts[0].name == "May-Ke-toan-1"
    assert "Máy Kế toán (1)" in result.notes[0].text


@pytest.mark.parametrize(
    ("cell", "address", "port"),
    [
        ("198.18.0.1", "198.18.0.1", None),
        ("198.18.0.1/24", "198.18.0.1", None),
        ("１９８.18.0.1", "198.18.0.1", None),
        ("198.18.0.1:2222", "198.18.0.1", 2222),
        ("198.18.0.1 (LAN)", "198.18.0.1", None),
        ("198.18.0.1, 198.18.0.9", "198.18.0.1", None),
        ("198.18.0.1\n198.18.0.9", "198.18.0.1", None),
        ("2001:DB8::1", "2001:db8::1", None),
        ("web1.example.org", "web1.example.org", None),
        ("N/A", "", None),
        ("-", "", None),
    ],
)
def test_cells_of_addresses(cell: str, address: str, port: int | None) -> None:
    host = one(("Tên", "IP", "Loại"), ("web1", cell, "server"))

    assert (host.address, host.port) == (address, port)


def test_a_cell_with_several_addresses_says_which_one_is_dialled() -> None:
    result = import_hosts(
        [sheet(("Tên", "IP", "Loại"), ("w", "198.18.0.1; 198.18.0.9", "server"))], agency="x"
    )

    assert "198.18.0.1 is dialled; left out: 198.18.0.9" in result.notes[0].text


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("w", "198.18.0.300", "server", "1"), "198.18.0.300 is no address"),
        (("w", "198.018.000.001", "server", "1"), "is no address"),
        (("w", "127.0.0.1", "server", "1"), "no address that a host can have"),
        (("w", "phòng 201", "server", "1"), "is no address"),
        (("w", "198.18.0.1:99999", "server", "1"), "is no address"),
        (("w", "198.18.0.1", "Máy in", "1"), "neither a server nor a workstation"),
        (("w", "198.18.0.1", "server", "6"), "from 1 to 5"),
        (("w", "198.18.0.1", "server", "cao"), "from 1 to 5"),
        (("Máy của Lan", "", "PC", "1"), "cannot be dialled"),
        (("!!!", "198.18.0.1", "PC", "1"), "cannot be made into a host name"),
        (("", "", "PC", "1"), "neither a name nor an address"),
    ],
)
def test_a_row_that_cannot_be_a_host_is_refused_with_its_number(row: tuple[str, ...], says: str) -> None:
    result = import_hosts([sheet(("Tên", "IP", "Loại", "Cấp độ"), row)], agency="x")

    assert result.hosts == ()
    assert says in refusals(result)[2]


def test_the_same_name_or_address_again_is_refused_and_names_the_first() -> None:
    result = import_hosts(
        [
            sheet(
                ("Tên", "IP"),
                ("web1", "198.18.0.1"),
                ("WEB1", "198.18.0.2"),
                ("web2", "198.18.0.1"),
                ("198.18.0.1", ""),
                name="A",
            ),
            sheet(("Tên", "IP"), ("web3", "198.18.0.3"), ("web1", "198.18.0.4"), name="B"),
        ],
        agency="x",
        taken={"web3": "other.yml:7"},
    )

    assert [h.name for h in result.hosts] == ["web1"]
    assert [(r.sheet, r.row) for r in result.refused] == [("A", 3), ("A", 4), ("A", 5), ("B", 2), ("B", 3)]
    assert "row 2" in result.refused[0].text
    assert "other.yml:7" in result.refused[3].text


def test_rows_without_an_agency_are_refused_unless_one_is_given() -> None:
    rows = sheet(("Tên", "IP"), ("web1", "198.18.0.1"))

    assert "--agency" in refusals(import_hosts([rows]))[2]
    assert import_hosts([rows], agency="Sở Y tế").hosts[0].agency == "so_y_te"


def test_a_table_without_headings_is_refused_as_a_whole() -> None:
    result = import_hosts([sheet(("web1", "198.18.0.1"), ("web2", "198.18.0.2"))], agency="x")

    assert result.hosts == ()
    assert "headings" in refusals(result)[1]


def test_passwords_never_come_in() -> None:
    result = import_hosts(
        [sheet(("Tên", "IP", "Mật khẩu", "Tài khoản"), ("w", "198.18.0.1", "hunter2", "admin"))], agency="x"
    )

    assert result.hosts[0].user == "admin"
    assert "hunter2" not in repr(result)
    assert "vault" in result.notes[0].text


def test_windows_is_told_by_its_system_and_so_is_the_role() -> None:
    result = import_hosts(
        [
            sheet(
                ("Tên", "IP", "Hệ điều hành"),
                ("a", "198.18.0.1", "Windows Server 2019"),
                ("b", "198.18.0.2", "Win10 Pro"),
                ("c", "198.18.0.3", "Windows 11"),
                ("d", "198.18.0.4", "Debian 12"),
            )
        ],
        agency="x",
    )

    assert [(h.is_windows, h.role) for h in result.hosts] == [
        (True, HostRole.SERVER),
        (True, HostRole.WORKSTATION),
        (True, HostRole.WORKSTATION),
        (False, None),
    ]
    assert "counts as a server" in result.notes[0].text


def test_formulas_escapes_and_templates_are_plain_text() -> None:
    host = one(
        ("Tên", "IP", "Loại", "Người quản lý", "Phòng ban"),
        ("w", "198.18.0.1", "server", "=cmd|' /C calc'!A0\x1b[31m", "@SUM(1)"),
    )

    assert host.owner == "=cmd|' /C calc'!A0 (@SUM(1))"
