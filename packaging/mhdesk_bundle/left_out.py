"""What the bundle does without: modules that MHDesk never imports, and files nobody reads at run time.

The frozen tests prove that what is left suffices. When an update of a library breaks them with "No module named …",
this is the place to look.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

NEVER_IMPORTED = (
    # ours
    "trainer", "tests", "mhdesk_setup", "mhdesk_bundle",
    # for those who write programs
    "pytest", "_pytest", "pytest_asyncio", "hypothesis", "mypy", "mypyc", "ruff", "pip", "setuptools", "pkg_resources",
    "wheel", "PyInstaller", "_pyinstaller_hooks_contrib", "IPython", "tensorboard", "torchgen.static_runtime",
    # what the trainer alone needs, which stands in the same environment
    "alembic", "datasets", "datasketch", "dill", "ftfy", "grpc", "joblib", "multiprocess", "optuna", "phonenumbers",
    "py3langid", "pyarrow", "selectolax", "sqlalchemy", "xxhash",
    # toolkits and viewers that some library could use
    "tkinter", "_tkinter", "turtle", "idlelib", "lib2to3", "pydoc_data", "matplotlib", "PIL", "pandas", "scipy",
    "sklearn", "PyQt5", "PyQt6", "PySide2",
    # what only the libraries' own command lines and servers use
    "typer", "rich", "pygments", "markdown_it", "mdurl", "shellingham", "huggingface_hub.cli", "pydantic",
    "pydantic_core",
    # a second way to download, in native code that the audit hook cannot watch
    "hf_xet",
    # training, testing, serving and compiling for other machines
    "accelerate.test_utils", "bitsandbytes.triton", "deepspeed", "numpy.f2py", "numpy.testing", "sympy.testing",
    "torch.utils.benchmark", "torch.utils.bottleneck", "torch.utils.tensorboard", "transformers.cli",
    "transformers.pipelines", "transformers.testing_utils", "transformers.trainer", "transformers.trainer_seq2seq",
    "triton",
)  # fmt: skip

NEEDED_MODELS = frozenset({"auto", "bloom", "encoder_decoder", "llama"})
"""Folders of `transformers.models` whose networks are loaded: the Llama, and what PEFT imports whatever it adapts."""

_NETWORK_FILES = re.compile(r"(modeling|modular|processing|image_processing|video_processing|feature_extraction)_.*")

_UNREAD_FILES = re.compile(
    "|".join(
        (
            r"bitsandbytes/libbitsandbytes_(?!cpu\b)",  # kernels for graphics cards: the bundle is for the processor
            r"torch/(bin/(?!torch_shm_manager)|include/|share/|test/)",
            r"torch/lib/(lib)?(aoti_custom|backend_with_compiler|jitbackend_test|torchbind_test)",
            r".*\.(lib|pyi|cuh?|cmake)$",
            r"PySide6/(Qt/)?translations/(?!qtbase_)",
            r"PySide6/(Qt/)?plugins/(designer|egldeviceintegrations|generic|networkinformation|printsupport|qmllint"
            r"|qmltooling|sqldrivers|tls|vectorimageformats|wayland-graphics-integration-server)/",
            r"PySide6/(Qt/)?plugins/platforms/(lib)?q(direct2d|eglfs|linuxfb|minimal|minimalegl|vkkhrdisplay|vnc)\b",
            r"PySide6/(Qt/)?plugins/(imageformats/(lib)?qpdf|platforminputcontexts/(lib)?qtvirtualkeyboard)",
            r"PySide6/(Qt/)?plugins/platformthemes/libqgtk3",  # a second GTK beside the desktop's own is trouble
            r"(PySide6/Qt/lib/)?(lib)?Qt6(Qml|Quick|Pdf|VirtualKeyboard|Designer|Sql|Labs|Egl[Ff][Ss])",
            r"lib(arrow|parquet|scipy_)",
            r"lib(gtk-3|gdk-3|gdk_pixbuf|atk|cairo|pango|epoxy|rsvg)",  # only that GTK theme asked for these
            r"(lib)?(cuda|cublas|cudart|cudnn|nvrtc|nvJitLink)[-.0-9]",  # found on the machine of whoever builds
            # A distribution that is named but absent would be taken for installed.
            r"(alembic|datasets|datasketch|dill|ftfy|grpcio|joblib|matplotlib|multiprocess|optuna|pandas|phonenumbers"
            r"|pillow|py3langid|pyarrow|scikit_learn|scipy|selectolax|sqlalchemy|tensorboard|xxhash"
            r"|hf_xet|hypothesis|markdown_it_py|mdurl|pydantic|pydantic_core|pygments|pytest_asyncio|rich|setuptools"
            r"|shellingham|typer)-[^/]*\.dist-info/",
        )
    )
)


def excluded_modules() -> list[str]:
    """Names for PyInstaller's `excludes`."""
    return [*NEVER_IMPORTED, *_other_networks()]


def is_unread(destination: str) -> bool:
    """Whether a file that PyInstaller collected under this path of the bundle can be left out."""
    return _UNREAD_FILES.match(destination.replace("\\", "/")) is not None


def without_unread(entries: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The entries of one of PyInstaller's tables, destination first, that the bundle keeps."""
    return [entry for entry in entries if not is_unread(entry[0])]


def _other_networks() -> Iterator[str]:
    """Modules of the several hundred networks that transformers brings and that are not of Llama architecture.

    Their configurations and tokenizers stay: transformers looks through them to find the right one.
    """
    package = importlib.util.find_spec("transformers")
    if package is None or package.origin is None:
        return
    models = Path(package.origin).parent / "models"
    for path in sorted(models.glob("*/*.py")):
        if path.parent.name not in NEEDED_MODELS and _NETWORK_FILES.match(path.stem):
            yield f"transformers.models.{path.parent.name}.{path.stem}"
