"""YAML → frozen dataclasses, sections within sections. An unknown key is an error; a number may stand for a float."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from trainer.errors import BadConfiguration

Config = TypeVar("Config")
_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def load_config(path: Path, kind: type[Config]) -> Config:
    """Read a configuration of some `kind`, a frozen dataclass whose fields may be dataclasses, and tuples of them.

    Raises:
        BadConfiguration: the file is missing, not YAML, or has an unknown key or a wrong value.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise BadConfiguration(f"The configuration {path} cannot be read. Please check its path.") from None
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: a day that no month has, digits without end
        raise BadConfiguration(f"The configuration {path} is not valid YAML.") from None
    if not isinstance(values, dict):
        raise BadConfiguration(f"The configuration {path} must be a list of keys and values.")
    return _section(values, kind, f"The configuration {path}", "")


def check(section: Any, holds: dict[str, bool]) -> None:
    """Refuse a value that makes no sense.

    Args:
        section: a dataclass of settings.
        holds: whether the field of each name holds something sensible.

    Raises:
        BadConfiguration: the first that does not.
    """
    for name, sensible in holds.items():
        if not sensible:
            raise BadConfiguration(f"The configuration's {name} is outside what makes sense: {getattr(section, name)}.")


def _section(values: dict[Any, Any], kind: type[Config], where: str, prefix: str) -> Config:
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    unknown = sorted(str(key) for key in values if key not in fields)
    if unknown:
        raise BadConfiguration(f"{where} has an unknown key: {prefix}{unknown[0]}.")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise BadConfiguration(f"{where} lacks the key {prefix}{name}.")
    return kind(**{key: _value(value, hints[key], where, f"{prefix}{key}") for key, value in values.items()})


def _value(value: Any, wanted: Any, where: str, name: str) -> Any:
    origin = get_origin(wanted)
    if origin in (Union, UnionType):
        if value is None and NoneType in get_args(wanted):
            return None
        return _value(value, next(kind for kind in get_args(wanted) if kind is not NoneType), where, name)
    if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
        if not isinstance(value, dict):
            raise BadConfiguration(f"{where} needs keys and values under {name}.")
        return _section(value, wanted, where, f"{name}.")
    if origin is tuple:
        if not isinstance(value, list):
            raise BadConfiguration(f"{where} needs a list under {name}.")
        return tuple(_value(item, get_args(wanted)[0], where, f"{name}[{place}]") for place, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise BadConfiguration(f"{where} needs keys and values under {name}.")
        return {str(key): _value(item, get_args(wanted)[1], where, f"{name}.{key}") for key, item in value.items()}
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise BadConfiguration(f"{where} has a number too large to compute with under {name}.") from None
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise BadConfiguration(f"{where} needs {_NAMES.get(wanted, wanted.__name__)} under {name}.")
    return value
