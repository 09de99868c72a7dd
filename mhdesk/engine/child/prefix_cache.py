"""One key-value cache kept across turns, so that only what is new of a conversation has to be read."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import DynamicCache, PreTrainedModel


class PrefixCache:
    """Holds the keys and values of `token_ids`; `keep_common` shortens it to what a new prompt shares."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model
        self.forget()

    def forget(self) -> None:
        """Give the memory back."""
        self.token_ids: list[int] = []
        self.cache = DynamicCache(config=self._model.config)

    def keep_common(self, prompt: Sequence[int]) -> int:
        """Shorten to the longest common beginning with `prompt`, its last token left to read; returns its length."""
        common = 0
        for ours, theirs in zip(self.token_ids, prompt[:-1], strict=False):
            if ours != theirs:
                break
            common += 1
        if common == 0:
            self.forget()
        elif common < len(self.token_ids):
            self.cache.crop(common - len(self.token_ids))
            del self.token_ids[common:]
        return common

    def extend(self, token_ids: Sequence[int]) -> None:
        """Note that the model has read `token_ids` into the cache."""
        self.token_ids.extend(token_ids)
