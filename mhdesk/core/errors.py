"""The one tree of errors. Each leaf is raised with the sentence that the user reads.

MHDeskError
├── BadInput            what the user gave cannot be used (exit code 2)
│   ├── BadSetting      a setting is outside its range
│   └── BadMessage      a message cannot be sent (empty, too long)
├── SetUpFailed         a step of the set-up could not be finished
├── DownloadFailed      a model could not be brought from a model hub
├── ShelfError          a model or adapter on disk cannot be used
│   ├── ModelUnusable   (and, in `engine.chat_template`, BadChatTemplate)
│   └── AdapterUnusable
├── EngineError         the engine process could not do what was asked
│   ├── ProtocolError   a frame on the pipe is not one of ours
│   ├── EngineDied      the process ended while it was needed
│   └── EngineBusy      it did not answer within its deadline
├── StorageError        user data could not be read or written
└── ConnectionRefusedOffline  something tried to reach a network
"""

from __future__ import annotations


class MHDeskError(Exception):
    """Root of the tree. `sentence` is complete, plain, and safe to show: it never holds conversation text."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class BadInput(MHDeskError):
    """What the user gave cannot be used."""


class BadSetting(BadInput):
    """A setting is outside its range."""


class BadMessage(BadInput):
    """A message cannot be sent."""


class SetUpFailed(MHDeskError):
    """A step of the set-up could not be finished."""


class DownloadFailed(MHDeskError):
    """A model could not be brought from a model hub."""


class ShelfError(MHDeskError):
    """A model or adapter on disk cannot be used."""


class ModelUnusable(ShelfError):
    """A base model cannot be used."""


class AdapterUnusable(ShelfError):
    """An adapter cannot be used."""


class EngineError(MHDeskError):
    """The engine process could not do what was asked."""


class ProtocolError(EngineError):
    """A frame on the pipe between the two processes is not one of ours."""


class EngineDied(EngineError):
    """The engine process ended while it was needed."""


class EngineBusy(EngineError):
    """The engine process did not answer within its deadline."""


class StorageError(MHDeskError):
    """User data could not be read or written."""


class ConnectionRefusedOffline(MHDeskError):
    """Something tried to reach a network from a program that works offline."""
