"""Conversations and other user data on disk."""
