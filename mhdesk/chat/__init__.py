"""The conductor of a conversation: asyncio, free of Qt and of torch."""
