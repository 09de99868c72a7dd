"""Leaves of the error tree for what is made but not given out."""

from __future__ import annotations

from mhdesk.core.errors import MHDeskError


class ExportRefused(MHDeskError):
    """Merged weights would not answer as base plus adapter do, or could not be made here."""


class NotPublished(MHDeskError):
    """The adapter is whole and measured, and stays where it is."""
