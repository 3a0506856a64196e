"""A worker that hangs is told from a machine that stood still."""

import time

import pytest
from gunicorn.config import Config

from app.server.heartbeat import Heartbeat


def test_a_worker_is_excused_for_the_time_in_which_its_master_looked_at_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    beat = Heartbeat(Config())

    def look(at: float) -> float:
        nonlocal now
        now = at
        return beat.last_update()

    try:
        beat.notify()
        assert [look(at) for at in (1000, 1001, 1002, 1003)] == [1000] * 4  # it hangs
        assert look(1030) == 1027  # all stood still
        assert look(1031) == 1027  # and it hangs again
        assert look(1041) == 1037  # so that it is replaced however often all stand still
        beat.notify()
        assert look(1042) == 1041
        now = 1042.5
        beat.notify()
        assert look(1100) == 1100
    finally:
        beat.close()
