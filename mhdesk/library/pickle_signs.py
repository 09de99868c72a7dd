"""How a pickled file gives itself away, whatever its name is. Nothing is unpickled: opcodes are only listed."""

from __future__ import annotations

import pickletools
import re

_ZIP = b"PK\x03\x04"
_TAR_MARK, _TAR_AT = b"ustar", 257
_NUMPY = b"\x93NUMPY"
_NAMES_SOMETHING = frozenset({"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"})
_CALLS_SOMETHING = frozenset({"REDUCE", "BUILD", "OBJ", "INST", "NEWOBJ", "NEWOBJ_EX"})
_MODULE_AND_NAME = re.compile(r"[A-Za-z_][\w.]* [A-Za-z_][\w.]*")


def looks_pickled(name: str, beginning: bytes, size: int) -> bool:
    """Whether a file called `name`, of `size` bytes, that begins so is a pickle or an archive that may hold some.

    A safetensors file may rightly begin like a pickle, since its first bytes are a length; it is told by what follows.
    """
    if name.casefold().endswith(".safetensors") and _is_safetensors(beginning, size):
        return False
    return (
        beginning.startswith((_ZIP, _NUMPY))
        or beginning[_TAR_AT : _TAR_AT + len(_TAR_MARK)] == _TAR_MARK
        or _has_protocol_mark(beginning)
        or _calls_something(beginning)
    )


def _is_safetensors(beginning: bytes, size: int) -> bool:
    return beginning[8:9] == b"{" and int.from_bytes(beginning[:8], "little") <= size - 8


def _has_protocol_mark(beginning: bytes) -> bool:
    """Protocols 2 to 5 begin with their number; torch's oldest format is one of these too."""
    return beginning[:1] == b"\x80" and beginning[1:2] in (b"\0", b"\1", b"\2", b"\3", b"\4", b"\5")


def _calls_something(beginning: bytes) -> bool:
    """Whether these bytes, read as a pickle without a protocol mark, name something and call it.

    The stack is followed by length alone, which is enough to tell a pickle from a text that begins with its letters.
    """
    stack: list[object] = []
    named = False
    try:
        for opcode, argument, _ in pickletools.genops(beginning):
            if not _apply(opcode, stack):
                return False
            if opcode.name in ("GLOBAL", "INST") and not _MODULE_AND_NAME.fullmatch(str(argument)):
                return False
            named = named or opcode.name in _NAMES_SOMETHING
            if named and opcode.name in _CALLS_SOMETHING:
                return True
    except (ValueError, OverflowError):  # the bytes end within an opcode, or are none
        return False
    return False


def _apply(opcode: pickletools.OpcodeInfo, stack: list[object]) -> bool:
    """Take from `stack` what `opcode` takes and put what it puts; False if that much is not there."""
    taken = opcode.stack_before
    if pickletools.markobject in taken:
        if pickletools.markobject not in stack:
            return False
        while stack.pop() is not pickletools.markobject:
            pass
        taken = taken[: taken.index(pickletools.markobject)]
    if len(taken) > len(stack):
        return False
    del stack[len(stack) - len(taken) :]
    stack.extend(opcode.stack_after)
    return True
