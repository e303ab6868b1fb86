"""Which columns hold personal data: names of editors and owners, telephones, e-mail addresses, identity numbers.

Such columns are never loaded, kept in quarantine or exported. A column is known by its name, in Vietnamese or English,
also cut to ten letters as a shapefile does, or by what most of its values are. A mapping's ``keep`` names false alarms.
"""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import pandas as pd

from layers.ingest.dates import PLAIN, read_date
from layers.ingest.nulls import NULL_WORDS, is_null_word, strip_marks

_SAMPLE = 500
# Written without spaces, marks and capitals, as names are compared.
_WORKERS = """
    creator createdby createduser createuser createdbyuser editor editedby editby edituser lasteditor lasteditby
    lasteditedby lastediteduser lastedituser lastuser modifiedby lastmodifiedby modifyuser updatedby updateuser
    lastupdatedby mappedby mapbyother mapbyot surveyor surveyedby inspector inspectedby enteredby drawnby digitizedby
    digitisedby capturedby collectedby measuredby checkedby username userid author initial initials crew contactname
    contactperson staffname employee technician
    nguoinhap nguoinhaplieu nguoisua nguoisuadoi nguoitao nguoicapnhat nguoilap nguoikiemtra nguoikhaosat nguoido
    nguoive nguoidung nguoiphutrach nguoilienhe nguoiquanly nguoidaidien nguoithuchien nguoigiamsat nguoithu
    canbo canbodo canbokhaosat canbophutrach canbonhap nhanvien tennhanvien kythuatvien
"""
_PERSONS = """
    ownername ownersname homeowner landowner propertyowner taxpayer firstname lastname surname givenname customername
    phonenumber telephone mobile mobilephone cellphone email emailaddress contactemail passport passportno ssn
    nationalid dateofbirth birthdate dob
    chuho tenchuho chuhogiadinh chunha tenchunha chudat chusudung chusudungdat tenchusudung tenchusohuu hoten hovaten
    tenchu khachhang tenkhachhang sodienthoai dienthoai sdt sodt dtdd didong sodidong thudientu hopthu
    cccd cmnd socccd socmnd cmndcccd cccdcmnd sogiayto cancuoc socancuoc hochieu sohochieu ngaysinh namsinh
"""
# Persons or organisations: the values decide.
_HOLDERS = "owner ownedby ownby chusohuu chuquanly chudautu donviquanly proprietor occupant tenant"
# A name this long may be cut (shapefile); of others as much must be left.
_CUT_AT, _SHORTEST_CUT, _SHORTEST_NAME = 10, 6, 8

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?:\(?(?:\+|00)?84\)?|\(?0)[\s.\-]*(?:[35789]\)?(?:[\s.\-]*\d){8}|2\)?(?:[\s.\-)]*\d){9})")
_PHONE_ABROAD = re.compile(r"\+\d{1,3}(?:[\s.\-()]*\d){7,11}|(?:\+?1[\s.\-]?)?\(?\d{3}\)?[\s.\-]\d{3}[\s.\-]\d{4}")
_IDENTITY = re.compile(r"0(?:0[1-9]|[1-8]\d|9[0-6])[0-9]\d{8}")
_TITLE = re.compile(r"(?:hộ\s+)?(?:ông|bà|anh|chị|mr|mrs|ms)\b\.?\s*", re.IGNORECASE)
_SURNAMES = """
    nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo duong ly dinh truong lam doan mai trinh ha cao luong
    luu phung to ta thai chau tang quach kieu giang vuong au la thach danh kim son
"""
_ORGANISATION = re.compile(
    r"\b(?:cong ty|cty|tnhh|ubnd|uy ban|so|ban|phong|chi cuc|cuc|trung tam|xi nghiep|tong|tap doan|nha nuoc|truong|"
    r"benh vien|quan|huyen|phuong|xa|thanh pho|tp|city|town|state|county|department|company|ltd|inc|private|public)\b"
)


def find_personal_columns(frame: pd.DataFrame, keep: Collection[str] = ()) -> dict[str, str]:
    """Return the columns of a sample that hold personal data, each with the reason; those in ``keep`` are left out."""
    found = {}
    for name in frame.columns:
        if name in keep:
            continue
        why = _judge(str(name), _list_values(frame[name]))
        if why is not None:
            found[str(name)] = why
    return found


def _list_values(column: "pd.Series[Any]") -> list[str]:
    """Return some of the distinct filled texts of a column; numbers are no names and no telephones."""
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return []
    distinct = column.dropna().astype(object).drop_duplicates()
    texts = (text.strip() for text in distinct if isinstance(text, str))
    return [text for text in texts if text not in NULL_WORDS and not is_null_word(text)][:_SAMPLE]


def _judge(name: str, values: Sequence[str]) -> str | None:
    """Return why a column is personal, or None."""
    if _is_named(name, _PERSONS) or (_is_named(name, _WORKERS) and not _are_dates(values)):
        return "by its name"
    if any(_EMAIL.fullmatch(value) for value in values) or _share(values, _EMAIL.search) >= 0.2:
        return "holds e-mail addresses"
    if _share(values, _is_phone) >= 0.5:
        return "holds telephone numbers"
    if _share(values, _IDENTITY.fullmatch) >= 0.5:
        return "holds identity numbers"
    if _is_named(name, _HOLDERS) and _share(values, _is_person) >= 0.3:
        return "holds names of persons"
    return None


def _plain_names(name: str) -> set[str]:
    """Return a column name without marks, spaces and signs, and without a one-letter prefix (p_lastedit)."""
    words = re.split(r"[^a-z0-9]+", strip_marks(name))
    return {"".join(words), "".join(words[1:] if len(words[0]) == 1 else words)}


def _is_named(name: str, known: str) -> bool:
    """Return whether a name is a known one, or one of them cut off."""
    names = known.split()
    shortest = _SHORTEST_CUT if len(name) == _CUT_AT else _SHORTEST_NAME
    return any(
        plain in names or (len(plain) >= shortest and any(one.startswith(plain) for one in names))
        for plain in _plain_names(name)
    )


def _are_dates(values: Sequence[str]) -> bool:
    """Return whether a cut name such as last_edite stands for a date."""
    formats = (*PLAIN, "dmy", "mdy", "epoch_ms")
    return bool(values) and _share(values, lambda value: read_date(value, formats)) >= 0.8


def _share(values: Sequence[str], test: Callable[[str], object]) -> float:
    return sum(bool(test(value)) for value in values) / len(values) if values else 0.0


def _is_phone(value: str) -> bool:
    parts = [part.strip() for part in re.split(r"[;,/]", value) if part.strip()]
    return bool(parts) and all(_PHONE.fullmatch(part) or _PHONE_ABROAD.fullmatch(part) for part in parts)


def _is_person(value: str) -> bool:
    """Return whether a value reads as the name of a person: a title, or a Vietnamese surname with other names."""
    if _TITLE.match(value):
        return True
    words = strip_marks(value).split()
    if _ORGANISATION.search(" ".join(words)):
        return False
    return 2 <= len(words) <= 5 and words[0] in _SURNAMES.split() and all(word[0].isupper() for word in value.split())
