"""Short runs of what `make soak` does at length; they check outcomes, not speed."""

import asyncio
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.soak.faults import hang_worker, kill_workers, reload_models, stop_servers
from tests.soak.figures import Figure, format_table
from tests.soak.fuzzing import run_schemathesis
from tests.soak.proxy import kill_behind_nginx
from tests.soak.readonly import can_mount, start_read_only
from tests.soak.slow import run_slow_clients_together

pytestmark = pytest.mark.slow

PAUSE = 0.01
"""Seconds between two requests of a client: some hundred a second from eight, not all cores'."""


def run_scenario(scenario: Coroutine[Any, Any, list[Figure]]) -> list[Figure]:
    """Run a scenario in a thread: Playwright keeps a loop running in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, scenario).result()


def list_missed(figures: list[Figure], about: str = "") -> str:
    """List the figures that miss their goals, as a table; "" where all are met."""
    found = [figure for figure in figures if re.search(about, figure.name) and not figure.met]
    return format_table(found) if found else ""


@pytest.mark.second_tier
def test_slow_clients_delay_nobody_else() -> None:
    assert not list_missed(run_scenario(run_slow_clients_together(2)))


@pytest.mark.second_tier
def test_a_killed_worker_shows_no_wrong_price() -> None:
    assert not list_missed(run_scenario(kill_workers(3)), "shown as a price")


def test_every_waiting_request_gets_its_response_at_sigterm() -> None:
    assert not list_missed(run_scenario(stop_servers(1)))


@pytest.mark.second_tier
def test_sighup_serves_a_changed_model_and_keeps_the_old_one_when_the_new_one_is_broken() -> None:
    assert not list_missed(run_scenario(reload_models(0.5, PAUSE)))


@pytest.mark.second_tier
def test_a_worker_that_hangs_in_a_prediction_is_replaced() -> None:
    assert not list_missed(run_scenario(hang_worker(2, PAUSE)), "replaced|afterwards")


@pytest.mark.second_tier
def test_two_processes_behind_nginx_lose_no_request_while_either_is_killed() -> None:
    assert not list_missed(run_scenario(kill_behind_nginx(0.5)))


@pytest.mark.second_tier
def test_schemathesis_finds_nothing_in_many_examples() -> None:
    assert not list_missed(run_scenario(run_schemathesis(50)))


@pytest.mark.second_tier
@pytest.mark.skipif(not can_mount(), reason="needs a mount namespace: root, or unshare -r")
def test_a_server_on_a_read_only_file_system_starts_or_says_why_not() -> None:
    assert not list_missed(run_scenario(start_read_only()))
