"""What can go wrong in the trainer, each with the sentence the user reads."""

from __future__ import annotations

from mhdesk.core.errors import BadInput, MHDeskError


class BadConfiguration(BadInput):
    """The YAML file asks for something that is not there or cannot be."""


class BadDialogues(BadInput):
    """The dialogues cannot be read or trained on."""


class TrainingStopped(MHDeskError):
    """The run was ended before its end; nothing was published."""
