"""Short runs of what `make soak` does at length: outcomes, and no figures of speed."""

import asyncio
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.soak.faults import hanging, killed_workers, reloaded, stopped
from tests.soak.figures import Figure, table
from tests.soak.fuzzing import fuzzed
from tests.soak.proxy import two_processes
from tests.soak.readonly import mounted_read_only, possible
from tests.soak.slow import all_at_once

pytestmark = pytest.mark.slow


def outcome(scenario: Coroutine[Any, Any, list[Figure]]) -> list[Figure]:
    """What a scenario finds, from a thread: Playwright keeps a loop running in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, scenario).result()


def missed(figures: list[Figure], about: str = "") -> str:
    """The figures that miss their goals, as a table; "" where all are kept."""
    found = [figure for figure in figures if re.search(about, figure.what) and not figure.held]
    return table(found) if found else ""


def test_slow_clients_keep_nobody_else_waiting() -> None:
    assert not missed(outcome(all_at_once(2)))


def test_a_killed_worker_leaves_no_wrong_price() -> None:
    assert not missed(outcome(killed_workers(3)), "taken for a price")


def test_whoever_stands_in_line_at_sigterm_is_answered() -> None:
    assert not missed(outcome(stopped(1)))


def test_sighup_serves_a_changed_model_and_keeps_the_old_one_in_place_of_a_broken_one() -> None:
    assert not missed(outcome(reloaded(0.5)))


def test_a_worker_that_hangs_in_a_prediction_is_replaced() -> None:
    assert not missed(outcome(hanging(2)), "replaced|afterwards")


@pytest.mark.second_tier
def test_two_processes_behind_nginx_lose_no_request_while_either_is_killed() -> None:
    assert not missed(outcome(two_processes(0.5)))


@pytest.mark.second_tier
def test_schemathesis_finds_nothing_in_many_examples() -> None:
    assert not missed(outcome(fuzzed(50)))


@pytest.mark.skipif(not possible(), reason="needs a mount namespace: root, or unshare -r")
def test_a_read_only_file_system_is_served_from_or_named() -> None:
    assert not missed(outcome(mounted_read_only()))
