"""Sampling settings with checked ranges."""

from __future__ import annotations

from dataclasses import dataclass, fields

from mhdesk.core.errors import BadSetting

_RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0.0, 2.0),
    "top_p": (0.01, 1.0),
    "top_k": (0, 1000),
    "repetition_penalty": (1.0, 2.0),
    "max_new_tokens": (1, 4096),
    "min_new_tokens": (0, 4096),
}


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen.

    `temperature` 0 takes the likeliest token; `top_k` 0 switches that filter off. `seed` None draws a new one for
    each reply. `repetition_penalty` divides positive and multiplies negative logits of tokens already in the reply
    (Keskar et al. 2019, arXiv 1909.05858). Before `min_new_tokens` the reply cannot end, which only measuring needs.
    """

    temperature: float = 0.4
    top_p: float = 0.9
    top_k: int = 50
    repetition_penalty: float = 1.1
    max_new_tokens: int = 256
    min_new_tokens: int = 0
    seed: int | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            whole = isinstance(low, int)
            if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
                raise BadSetting(f"The setting {name} must be a {'whole ' if whole else ''}number.")
            if not low <= value <= high:  # which no infinity is, and nothing that is not a number
                raise BadSetting(f"The setting {name} must be between {low:g} and {high:g}.")
        if self.seed is not None and (
            isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed < 2**63
        ):
            raise BadSetting("The setting seed must be a whole number from 0 to 9223372036854775807.")

    def to_json(self) -> dict[str, float | int | None]:
        """A plain dictionary of the fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_json(cls, values: dict[str, object]) -> Sampling:
        """The inverse of `to_json`.

        Raises:
            BadSetting: an unknown key or a value outside its range.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise BadSetting(f"There is no setting called {sorted(unknown)[0]}.")
        return cls(**values)  # type: ignore[arg-type]
