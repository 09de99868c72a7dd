"""What the window needs of a Linux system: the libraries that Qt's own wheel does not carry.

The lists are what `ldd` names for libQt6Gui, libQt6Network and platforms/libqxcb.so of PySide6_Essentials 6.12.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

from mhdesk_setup.progress import Progress

_DRAWING = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libX11.so.6": "libx11-6",
}
_X11 = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
_OTHER_SCREENS = ("offscreen", "minimal", "wayland", "vnc", "eglfs", "linuxfb")


def missing_packages(environ: Mapping[str, str] = os.environ, programs: Mapping[str, str] | None = None) -> list[str]:
    """Names of the Debian packages that the window still needs on this machine; none on other systems than Linux.

    Args:
        environ: says through QT_QPA_PLATFORM and WAYLAND_DISPLAY whether X11 is used.
        programs: further programs that are needed, and the package of each.
    """
    if sys.platform != "linux":
        return []
    needed = _DRAWING | (_X11 if uses_x11(environ) else {})
    packages = [package for library, package in needed.items() if not _loads(library)]
    packages += [package for program, package in (programs or {}).items() if shutil.which(program) is None]
    return list(dict.fromkeys(packages))


def uses_x11(environ: Mapping[str, str]) -> bool:
    """Whether the window would be drawn through X11, which is also what is meant where nothing is said."""
    platform = environ.get("QT_QPA_PLATFORM", "")
    if platform:
        return not platform.startswith(_OTHER_SCREENS)
    return "WAYLAND_DISPLAY" not in environ


def install_command(packages: list[str]) -> list[str]:
    """The one command that brings `packages` on Debian and its relatives."""
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def advice(packages: list[str]) -> str:
    """One sentence for what is missing."""
    if shutil.which("apt-get"):
        return f"The window needs some system libraries; please run: sudo {' '.join(install_command(packages))}"
    return f"The window needs the system libraries that Debian calls {', '.join(packages)}; please install them."


def provide(packages: list[str], progress: Progress) -> bool:
    """Install `packages` where this user may. Returns whether that worked."""
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    settings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], install_command(packages)):
        progress.indicate(" ".join(command[:2]))
        finished = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=settings, check=False)
    return finished.returncode == 0


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
