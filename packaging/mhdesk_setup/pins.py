"""The exact versions that requirements files ask for, and whether installed packages meet them."""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path

from mhdesk_setup.sentences import SetUpError

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(\[[^\]]*\])?\s*==\s*(?P<version>[\w.!+-]+)"
    r"(\s*;\s*sys_platform\s*(?P<sign>==|!=)\s*(?P<quote>[\"'])(?P<platform>\w+)(?P=quote))?"
)


FINISHED = "INSTALLER"
"""The file in a package's record that installers write after all files of the package itself."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """Requirements files that are installed together."""

    files: tuple[Path, ...]

    def pins(self) -> dict[str, str]:
        """Version by normalised name, without the lines for other systems."""
        return {name: version for file in self.files for name, version in parse_pins(file.read_text(encoding="utf-8"))}

    def digest(self) -> str:
        """SHA-256 of all that is asked for, in hexadecimal."""
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in self.files)).hexdigest()


def parse_pins(text: str, platform: str = sys.platform) -> list[tuple[str, str]]:
    """Normalised names and versions of the lines of a requirements file that count on `platform`.

    Raises:
        SetUpError: a line is not an exact pin.
    """
    found = []
    for line in text.splitlines():
        wanted = line.partition("#")[0].strip()
        if not wanted:
            continue
        pin = _PIN.fullmatch(wanted)
        if pin is None:
            raise SetUpError(f"The requirements of MHDesk have a line that names no exact version: {wanted}.")
        if pin["sign"] is None or (pin["sign"] == "==") == (pin["platform"] == platform):
            found.append((normalised(pin["name"]), pin["version"]))
    return found


def unmet_pins(pins: dict[str, str], folder: Path | None = None) -> list[str]:
    """Names of the pins that are not installed whole at their version.

    Args:
        pins: version by normalised name.
        folder: the site-packages to look into; without one, what the running interpreter would import.
    """
    if folder is None:
        return [name for name, version in pins.items() if not _meets(_imported_version(name), version)]
    whole = installed_versions(folder)
    return [name for name, version in pins.items() if not _meets(whole.get(name), version)]


def installed_versions(folder: Path) -> dict[str, str]:
    """Version by normalised name of what is installed whole in a site-packages folder."""
    return {
        normalised(package.metadata["Name"]): package.version
        for package in distributions(path=[str(folder)])
        if _is_whole(package) and package.metadata["Name"]
    }


def normalised(name: str) -> str:
    """A package's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _meets(version: str | None, wanted: str) -> bool:
    # 2.13.0+cpu is a build of 2.13.0; a pin that names the build itself is compared in full (PEP 440).
    return version is not None and (version if "+" in wanted else version.partition("+")[0]) == wanted


def _imported_version(name: str) -> str | None:
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return None
    return package.version if _is_whole(package) else None


def _is_whole(package: Distribution) -> bool:
    return package.read_text(FINISHED) is not None
