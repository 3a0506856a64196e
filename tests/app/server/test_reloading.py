"""A new app takes the old one's place only after it has answered its pages in another process."""

import subprocess
import sys

import pytest

from tests.tools import ROOT

LOADER = """
import os, signal, time
from app.http.application import Application
from app.http.routes import Surface
from app.server import reloading

reloading.TIMEOUT = {longest}
server = os.getpid()

class Loader:
    app_uri = "nowhere:app"
    callable = "the old app"

    def load(self):
        app = Application("new", static_folder=None)
        {body}
        return app

{before}
loader = Loader()
print(reloading.replace_app(loader), "|", "old" if loader.callable == "the old app" else "new")
"""


def replaced(body: str, longest: float = 60, before: str = "") -> tuple[str, str]:
    """What ``replace_app`` says, and which app serves then; it forks, so not inside pytest.

    ``longest`` is how many seconds the new app may take, ``before`` is run before it is tried.
    """
    run = subprocess.run(
        [sys.executable, "-c", LOADER.format(body=body, longest=longest, before=before)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said, _, which = run.stdout.strip().rpartition("|")
    return said.strip(), which.strip()


def test_a_sound_app_takes_the_place() -> None:
    assert replaced("app.get('/', surface=Surface.PAGE)(lambda: 'fine')") == ("", "new")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise SystemExit('Formcast cannot start. The card is wrong.')", "The card is wrong."),
        ("os.abort()", "The process that tried it ended with SIGABRT."),
        pytest.param(
            "os._exit(7)",
            "The process that tried it ended with exit code 7.",
            marks=pytest.mark.second_tier,
        ),
        ("app.get('/about', surface=Surface.PAGE)(lambda: ('', 500))", "/about answers 500."),
    ],
)
def test_one_that_is_not_leaves_the_old_app_and_says_why(body: str, said: str) -> None:
    words, which = replaced(body)
    assert words.endswith(said)
    assert which == "old"


def test_one_that_takes_too_long_leaves_the_old_app() -> None:
    assert replaced("time.sleep(60)", longest=0.5) == ("It was not ready after 0.5 s.", "old")


SLOW_FORK = """
fork = os.fork
def fork_and_wait():
    child = fork()
    if child:
        time.sleep(0.5)
    return child
os.fork = fork_and_wait
"""


@pytest.mark.parametrize("before", ["", SLOW_FORK], ids=["quick", "slow"])
def test_a_stop_ends_the_trial_of_a_new_app_and_is_seen_by_the_server(before: str) -> None:
    """However soon it comes: with a slow fork, before the server goes on."""
    said, which = replaced(
        "os.kill(server, signal.SIGTERM); time.sleep(600)",
        before="signal.signal(signal.SIGTERM, lambda *_: print('A stop.'))" + before,
    )
    assert said.splitlines() == ["A stop.", "The process that tried it ended with SIGKILL."]
    assert which == "old"
