import math

import pytest

from mhdesk.core.errors import BadSetting
from mhdesk.core.sampling import Sampling


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_p", 0),
        ("top_p", 1.01),
        ("top_k", -1),
        ("top_k", 1.5),
        ("repetition_penalty", 0.9),
        ("max_new_tokens", 0),
        ("max_new_tokens", 5000),
        ("seed", -1),
        ("seed", 1.0),
        ("seed", 2**63),
    ],
)
def test_a_value_outside_its_range_is_refused_by_name(name, value):
    with pytest.raises(BadSetting, match=name):
        Sampling(**{name: value})


def test_the_edges_of_each_range_are_allowed():
    Sampling(temperature=0, top_p=1.0, top_k=0, repetition_penalty=1, max_new_tokens=1, seed=0)
    Sampling(temperature=2, top_p=0.01, top_k=1000, repetition_penalty=2.0, max_new_tokens=4096, seed=2**63 - 1)


def test_json_and_back_gives_the_same_settings():
    sampling = Sampling(temperature=0.3, seed=5)
    assert Sampling.from_json(sampling.to_json()) == sampling


def test_an_unknown_setting_is_refused_by_name():
    with pytest.raises(BadSetting, match="warmth"):
        Sampling.from_json({"warmth": 1})
