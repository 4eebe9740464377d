"""Recognises the headings of host lists, in Vietnamese and English, however they are spelled."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from khien.domain.names import slug

NAME, ADDRESS, SYSTEM, AGENCY, DEPARTMENT = "name", "address", "system", "agency", "department"
LEVEL, OWNER, ROLE, SITE, WINDOW, PORT, USER = "level", "owner", "role", "site", "window", "port", "user"
PASSWORD, IGNORED = "password", "ignored"

# Spelled without accents, signs and capitals, as headings are compared.
_HEADINGS: Mapping[str, str] = {
    NAME: "ten may|ten may tinh|ten may chu|ten may tram|ten thiet bi|ten host|ten|may|hostname|host name"
    "|host|computer name|computer|machine|machine name|device|device name|server name|name",
    ADDRESS: "dia chi ip|dia chi|dia chi mang|dia chi may|ip|ip may|ip address|ipv4|address|host ip",
    SYSTEM: "he dieu hanh|hdh|phien ban he dieu hanh|os|operating system|system",
    AGENCY: "don vi|co quan|ten don vi|ten co quan|don vi quan ly|don vi su dung|so nganh|agency"
    "|organisation|organization|unit",
    DEPARTMENT: "phong ban|phong|bo phan|phong chuyen mon|department|office|division",
    LEVEL: "cap do|cap do an toan|cap do an toan thong tin|cap do he thong|cap do httt|cap|muc do|level"
    "|security level",
    OWNER: "nguoi quan ly|can bo quan ly|nguoi phu trach|can bo phu trach|phu trach|quan tri vien"
    "|nguoi su dung|nguoi dung|can bo su dung|owner|manager|contact|administrator|responsible",
    ROLE: "vai tro|loai|loai may|loai thiet bi|loai may tinh|role|type|kind",
    SITE: "dia diem|vi tri|noi dat|noi dat may|chi nhanh|site|location",
    WINDOW: "khung gio bao tri|thoi gian bao tri|cua so bao tri|maintenance window|window",
    PORT: "cong|cong ssh|port|ssh port",
    USER: "tai khoan|ten dang nhap|tai khoan quan tri|user|username|user name|login|account",
    PASSWORD: "mat khau|password|pass|passwd",
    IGNORED: "stt|tt|so thu tu|no|nr|ghi chu|note|notes|remark|remarks|comment|mac|dia chi mac|mac address"
    "|serial|so seri|so serial|model|hang san xuat|ram|cpu|o cung|nam su dung",
}
_FIELD_OF = {spelling: field for field, spellings in _HEADINGS.items() for spelling in spellings.split("|")}
_CLOSE_ENOUGH = 0.87


def field_of(heading: str) -> str | None:
    """Return the field that a heading means; None when it means none."""
    words = slug(heading, " ")
    if not words:
        return None
    if words in _FIELD_OF:
        return _FIELD_OF[words]
    # "Cấp độ (1-5)" and "Tên máy / Hostname" begin with what they mean.
    parts = words.split()
    for length in range(len(parts) - 1, 1, -1):
        if (start := " ".join(parts[:length])) in _FIELD_OF:
            return _FIELD_OF[start]
    if len(parts) <= 4 and parts[0] in ("ip", "hostname", "os", "level"):
        return _FIELD_OF[parts[0]]
    close = difflib.get_close_matches(words, _FIELD_OF, n=1, cutoff=_CLOSE_ENOUGH)
    return _FIELD_OF[close[0]] if close and len(words) > 5 else None


def columns_of(cells: Sequence[str]) -> Mapping[str, int] | None:
    """Return where each field stands when the cells are headings; None when they are not."""
    columns: dict[str, int] = {}
    known = 0
    for position, cell in enumerate(cells):
        field = field_of(cell) if len(cell) <= 60 else None
        known += field is not None
        if field is not None and field != IGNORED:
            columns.setdefault(field, position)
    has_machine = NAME in columns or ADDRESS in columns
    return columns if has_machine and known >= 2 else None
