"""Start gunicorn with the app: ``python -m app.server``, and gunicorn's own options after it.

``gunicorn wsgi:app`` starts the same. But gunicorn reads ``WEB_CONCURRENCY`` while it is imported,
before any file of ours, and a wrong value would end in its traceback.
"""

import os
import sys

from app.config import SettingError
from app.server.binding import read_workers


def main() -> None:
    """Check what gunicorn would stumble over, then become gunicorn.

    Raises:
        SystemExit: for a number of workers that is none; its message says what to write.
    """
    try:
        os.environ["WEB_CONCURRENCY"] = str(read_workers())
    except SettingError as error:
        raise SystemExit(f"Formcast cannot start. {error}") from None
    from gunicorn.app.wsgiapp import run  # reads WEB_CONCURRENCY

    sys.argv = ["gunicorn", "wsgi:app", *sys.argv[1:]]
    run()


if __name__ == "__main__":
    main()
