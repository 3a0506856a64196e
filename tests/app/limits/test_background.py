"""Long work goes to a thread of its own under gevent, and stays where it is elsewhere."""

import subprocess
import sys
import threading
import time

from app.limits.background import MAX_INLINE, CallTimer, run_in_thread
from tests.tools import ROOT


def run_under_gevent(code: str) -> str:
    """Run code in a process of its own whose standard library is that of gevent; what it prints."""
    patched = f"from gevent import monkey\nmonkey.patch_all()\n{code}"
    command = [sys.executable, "-c", patched]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_without_gevent_the_work_is_done_in_place() -> None:
    assert run_in_thread(threading.get_ident) == threading.get_ident()


def test_under_gevent_others_are_answered_meanwhile() -> None:
    said = run_under_gevent("""
import gevent
from gevent.monkey import get_original
from app.limits.background import MAX_INLINE, CallTimer, run_in_thread
said = []
sleep = get_original("time", "sleep")
slow = gevent.spawn(lambda: (run_in_thread(sleep, 0.5), said.append("slow")))
quick = gevent.spawn(lambda: said.append("quick"))
gevent.joinall([slow, quick])
print(said)
""")
    assert said.strip() == "['quick', 'slow']"


def test_work_that_hangs_is_given_up_and_its_worker_events_to_end() -> None:
    said = run_under_gevent("""
import logging, signal, sys
from gevent.monkey import get_original
from app.limits import background
logging.basicConfig(stream=sys.stdout, format="%(message)s")
background.TIMEOUT = 0.3
events = []
signal.signal(signal.SIGTERM, lambda *_: events.append("end"))
sleep = get_original("time", "sleep")
def wait_for_ever():
    sleep(60)
for _ in range(background.MAX_THREADS + 1):
    try:
        background.run_in_thread(wait_for_ever)
    except background.ThreadTimeoutError:
        events.append("given up")
print(background.run_in_thread(lambda: "others go on"), set(events), flush=True)
import os
os._exit(0)
""")
    assert said.splitlines()[-1].startswith("others go on")
    assert "given up" in said
    assert "'end'" in said
    assert said.startswith("wait_for_ever hangs. The threads are at:")
    assert "line 13, in wait_for_ever" in said


def test_calls_that_are_long_go_to_a_thread_from_the_third_on() -> None:
    said = run_under_gevent("""
from gevent.monkey import get_original
from app.limits.background import CallTimer
ident = get_original("_thread", "get_ident")
def work(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    return ident()
import time
here, timer = ident(), CallTimer()
print([timer.run(work, s) == here for s in (0.03, 0, 0.03, 0.03, 0, 0.03)])
""")
    assert said.strip() == "[True, True, True, True, False, False]"


def test_work_that_gets_no_thread_in_time_is_refused_for_now() -> None:
    said = run_under_gevent("""
import gevent
from gevent.monkey import get_original
from werkzeug.exceptions import ServiceUnavailable
from app.limits import background
background.MAX_WAIT = 0.1
sleep, said = get_original("time", "sleep"), []
def ask():
    try:
        background.run_in_thread(sleep, 1)
        said.append("answered")
    except ServiceUnavailable as error:
        said.append(error.retry_after)
gevent.joinall([gevent.spawn(ask) for _ in range(4)])
print(said)
""")
    assert said.strip() == "[5, 5, 'answered', 'answered']"


def test_a_model_that_is_long_is_known_before_the_first_visitor() -> None:
    def burn() -> None:
        end = time.thread_time() + 2 * MAX_INLINE
        while time.thread_time() < end:
            pass

    quick, long = CallTimer(), CallTimer()
    quick.learn(lambda: None)
    long.learn(burn)
    assert (quick.is_long, long.is_long) == (False, True)


def test_work_is_not_begun_for_a_client_that_has_gone() -> None:
    said = run_under_gevent("""
import socket
import gevent
from flask import Flask
from gevent.monkey import get_original
from werkzeug.exceptions import ClientDisconnected
from app.limits import background
from app.server.draining import FirstBytesSocket, JoiningSocket
background.MAX_THREADS = 1
sleep, app, said, done = get_original("time", "sleep"), Flask("x"), [], []
def ask(name, end):
    environ = {"gunicorn.socket": JoiningSocket(FirstBytesSocket(end))}
    with app.test_request_context(environ_overrides=environ):
        try:
            background.run_in_thread(lambda: (sleep(0.3), done.append(name)))
        except ClientDisconnected:
            said.append(name + " had gone")
pairs = {name: socket.socketpair() for name in ("first", "typed on", "waiting")}
jobs = [gevent.spawn(ask, name, pair[0]) for name, pair in pairs.items()]
gevent.sleep(0.1)
pairs["first"][1].close()  # it has begun, and ends
pairs["typed on"][1].close()
gevent.joinall(jobs, raise_error=True)
print(said, done)
""")
    assert said.strip() == "['typed on had gone'] ['first', 'waiting']"
