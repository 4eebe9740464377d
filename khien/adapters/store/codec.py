"""Values of the domain to JSON text and back, for the columns that hold whole values."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from khien.errors import StoreError

Value = TypeVar("Value")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - any type form
    return TypeAdapter(kind)


def encode(kind: type[Value], value: Value) -> str:
    """Return a value as JSON text."""
    return _adapter(kind).dump_json(value).decode()  # type: ignore[arg-type]  # mypy: type[] is not Hashable


def decode(kind: type[Value], text: str) -> Value:
    """Return the value that the JSON text holds.

    Raises:
        StoreError: the text does not hold such a value; somebody else wrote it.
    """
    try:
        value: Value = _adapter(kind).validate_json(text)  # type: ignore[arg-type]  # as above
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise StoreError(f"the store holds an unreadable {kind.__name__}: {problem}") from error
    return value
