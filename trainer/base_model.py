"""The base model of a run: a folder, or the name of an installed one."""

from __future__ import annotations

from pathlib import Path

from mhdesk.core.paths import UserPaths
from mhdesk.library.model_folder import check_model_folder
from trainer.errors import BadConfiguration


def base_folder(model: str, folder: Path) -> Path:
    """The 8-bit model folder that a configuration means, checked as the app checks it.

    Args:
        model: a folder relative to `folder`, or the name of a model in the app's data directory.
        folder: that of the YAML file.

    Raises:
        BadConfiguration: it is neither.
        ShelfError: the folder is no usable model.
    """
    for candidate in (folder / model, UserPaths.from_environment().models / model):
        if candidate.is_dir():
            check_model_folder(candidate)
            return candidate
    raise BadConfiguration(
        f"The base model {model} is neither a folder nor installed. Please run python runApp.py setup first."
    )
