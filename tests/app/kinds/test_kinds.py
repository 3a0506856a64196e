"""What is served of each kind of model can be shown."""

from app import kinds
from model.serving.kinds import KINDS


def test_every_kind_of_model_that_is_served_has_an_adapter() -> None:
    assert kinds.KINDS.keys() == KINDS.keys()
    for adapter in kinds.KINDS.values():
        assert not getattr(adapter, "__abstractmethods__", None), adapter
