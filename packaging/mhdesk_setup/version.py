"""Whether this Python may run MHDesk. Kept to syntax that older Pythons parse, so that they can say so themselves."""

OLDEST = (3, 11)
TOO_NEW = (3, 14)


def unsupported_python(major: int, minor: int) -> str:
    """One sentence if MHDesk does not run on this version of Python, else an empty string."""
    if OLDEST <= (major, minor) < TOO_NEW:
        return ""
    return (
        f"MHDesk needs Python 3.11, 3.12 or 3.13, and this is Python {major}.{minor}; "
        "please start runApp.py with one of those."
    )
