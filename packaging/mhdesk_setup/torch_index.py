"""Where PyTorch's build for this machine comes from.

On Linux the ordinary index serves the build for CUDA, several gigabytes with what it needs. PyTorch's own index has one
for the processor alone, 2.13.0+cpu, which sorts above 2.13.0 and so is the one pip takes when it sees both.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PATIENCE_SECONDS = 3.0


def index_arguments() -> tuple[list[str], str]:
    """What pip is told besides the requirements, and a few words that say so."""
    if sys.platform != "linux":
        return [], "PyTorch from the ordinary index"
    if has_cuda_device():
        return [], "PyTorch with CUDA, since there is a device for it"
    if answers(f"{CPU_INDEX}/torch/"):
        return ["--extra-index-url", CPU_INDEX], "PyTorch for the processor alone"
    return [], "PyTorch from the ordinary index, since its own does not answer"


def has_cuda_device() -> bool:
    """Whether NVIDIA's own tool lists a device."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    try:
        listed = subprocess.run([tool, "-L"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return listed.returncode == 0 and b"GPU" in listed.stdout


def answers(address: str, seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether a page is served there. Waits `seconds` in all, whatever the network does."""
    reached = threading.Event()

    def ask() -> None:
        # The time limit of urllib is for each step, and look-ups of names have none; hence the thread.
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - our own https address
        try:
            with urllib.request.urlopen(request, timeout=seconds):  # noqa: S310
                reached.set()
        except (OSError, ValueError, urllib.error.URLError):
            return
        finally:
            finished.set()

    finished = threading.Event()
    threading.Thread(target=ask, daemon=True).start()
    finished.wait(seconds)
    return reached.is_set()
