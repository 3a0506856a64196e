"""CPU of an answer with its words to a text of 2,000 characters, against a bare Flask route.

    python -m tests.benchmarks.texts

Both apps answer in this process, in turns of ten; the tenth of the turns that costs least counts.
"""

import json
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

from click.testing import CliRunner
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app import create_app
from app.cli.models import model as commands
from app.config import Settings
from tests.benchmarks.bare import app as bare
from tests.messages import make_messages, write_messages

CHARACTERS = 2000
TURNS = 60
REQUESTS = 10


def main() -> None:
    """Add a model of messages, measure it, and print the CPU of a request and its ratio."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path, data, unseen = write_messages(folder)
        arguments = ["add", path, "--name", "messages", "--data", data, "--target", "label"]
        arguments += ["--holdout", unseen, "--models", folder, "--publish-rows"]
        added = CliRunner().invoke(commands, [str(item) for item in arguments])
        assert added.exit_code == 0, added.output
        app = create_app(Settings(models=("messages",), ratelimit="off"), models=folder)
    texts = " ".join(make_messages(400, seed=5)["message"])
    bodies = [
        urlencode({"message": texts[start : start + CHARACTERS], "size": "90", "channel": "sms"})
        for start in range(0, 20_000, 97)
    ]
    measured: dict[str, list[float]] = {"bare route": [], "a text with its words": []}
    for turn in range(TURNS):
        for name, seconds in measured.items():
            started = time.process_time()
            for number in range(REQUESTS):
                if name == "bare route":
                    ask(bare, "/", None)
                else:
                    body = bodies[(turn * REQUESTS + number) % len(bodies)]
                    ask(app, "/predict-fragment", body)
            seconds.append((time.process_time() - started) / REQUESTS)
    least = {name: sorted(seconds)[len(seconds) // 10] for name, seconds in measured.items()}
    floor, text = least.values()
    print(json.dumps({name: f"{seconds * 1e3:.2f} ms" for name, seconds in least.items()}))
    print(f"ratio: {text / floor:.0f}")


def ask(app: object, path: str, body: str | None) -> None:
    """Send one request to a WSGI app, and read its answer."""
    builder = EnvironBuilder(
        path,
        method="GET" if body is None else "POST",
        data=body,
        content_type="application/x-www-form-urlencoded",
    )
    environ = builder.get_environ()
    setup_testing_defaults(environ)
    _, status, _ = run_wsgi_app(app, environ)  # type: ignore[arg-type]  # any WSGI app
    assert status.startswith("200"), status


if __name__ == "__main__":
    main()
