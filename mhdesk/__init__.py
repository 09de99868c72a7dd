"""MHDesk: an offline desktop program for self-help and emotional support."""

__version__ = "0.1.0"
