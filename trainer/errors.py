"""What can go wrong in the trainer, each with the sentence the user reads."""

from __future__ import annotations

from mhdesk.core.errors import BadInput, MHDeskError


class BadConfiguration(BadInput):
    """The YAML file asks for something that is not there or cannot be."""


class BadDialogues(BadInput):
    """The dialogues cannot be read or trained on."""


class BadSource(BadInput):
    """A source of dialogues cannot be read, or holds nothing to train on."""


class BadRows(BadInput):
    """The rows that an earlier stage should have left are missing or damaged."""


class BadSentences(BadInput):
    """Marked sentences cannot be read."""


class TrainingStopped(MHDeskError):
    """The run was ended before its end; nothing was published."""
