"""Feedback as the pages use it: sign an answer, keep a report, read it, delete it."""

import datetime as dt
import logging
import secrets
import threading
from collections.abc import Callable
from typing import TypeVar

from werkzeug.exceptions import TooManyRequests

from app.config import Settings
from app.feedback.opening import open_store, warn_of_loss
from app.feedback.outcomes import ReportedOutcome
from app.feedback.receipts import ReceiptSigner
from app.feedback.store import Store, StoreError
from app.feedback.store_thread import StoreThread
from app.limits.rate_limits import OFF, make_counter

LIMIT = "30/minute"
"""Reports that one client may send, read or delete; no limit where FORMCAST_RATELIMIT is off."""

SECRET = "secret_key"  # noqa: S105 (the name of a row)

T = TypeVar("T")

_log = logging.getLogger(__name__)


class FeedbackService:
    """Feedback of all models; made before the workers are forked, which then share its key.

    A database that fails is no error of the app: it says so once in the log, and once when it
    works again.
    """

    def __init__(self, store: Store, settings: Settings, redis_url: str = "") -> None:
        """Migrate the store, and read its key; without a store that works, go on all the same."""
        self.retention_days = settings.retention_days
        self._counter = (
            None
            if settings.ratelimit == OFF
            else make_counter(LIMIT, redis_url, settings.redis_verify)
        )
        self._store, self._thread = store, StoreThread(store)
        self._fails, self._noting = False, threading.Lock()
        self._purged = dt.date.min
        made = secrets.token_urlsafe(32)
        key = settings.secret_key
        try:
            store.migrate()
            key = key or store.keep_once(SECRET, made)
        except StoreError as error:
            self._warn(error)
        finally:
            store.close()  # no worker may share the connection
        self._key = (key or made).encode()

    @property
    def oldest(self) -> dt.date:
        """The first day of which something is kept."""
        return dt.date.today() - dt.timedelta(self.retention_days)

    def make_signer(self, model: str, version: str) -> ReceiptSigner:
        """Make what signs the answers of a model."""
        return ReceiptSigner(self._key, model, version)

    def limit(self, client: str) -> None:
        """Count a request of a client.

        Raises:
            TooManyRequests: beyond ``LIMIT``.
        """
        if self._counter is not None and (seconds := self._counter.count(f"report:{client}", 1)):
            raise TooManyRequests(retry_after=seconds)

    def keep(self, outcome: ReportedOutcome) -> bool:
        """Keep a report; return whether it is new.

        Raises:
            StoreError: if nobody knows that it is kept.
        """
        new = self._watch(lambda: self._thread.insert(outcome))
        self._purge()
        return new

    def find(self, number: str) -> ReportedOutcome | None:
        """Find a report that is not too old by the number of its receipt.

        Raises:
            StoreError: if the database does not answer.
        """
        found = self.run(lambda store: store.find(number))
        return None if found is None or found.day < self.oldest else found

    def delete(self, number: str) -> bool:
        """Delete a report; return whether it was there.

        Raises:
            StoreError: if the database does not do it.
        """
        return self.run(lambda store: store.delete(number))

    def run(self, work: Callable[[Store], T]) -> T:
        """Do other work with the store, in its thread.

        Raises:
            StoreError: if it was not done.
        """
        done = self._watch(lambda: self._thread.run(work))
        self._purge()
        return done

    def _purge(self) -> None:
        """Delete what is too old, with the first use on each day."""
        today = dt.date.today()
        if self._purged == today:
            return
        self._purged = today
        try:
            self._watch(lambda: self._thread.run(lambda store: store.purge(self.oldest)))
        except StoreError:
            self._purged = dt.date.min

    def _watch(self, work: Callable[[], T]) -> T:
        commits = self._store.commits
        try:
            done = work()
        except StoreError as error:
            self._warn(error)
            raise
        # Where nothing was committed, there was nothing to do.
        if self._store.commits > commits and self._note(fails=False):
            _log.warning("Feedback is kept again")
        return done

    def _warn(self, error: StoreError) -> None:
        if self._note(fails=True):
            _log.warning("Feedback cannot be kept, and answers go on without it. %s", error)

    def _note(self, fails: bool) -> bool:
        """Note whether the store fails; return whether that is new, to one thread only."""
        with self._noting:
            before, self._fails = self._fails, fails
        return before != fails


def make_service(settings: Settings, redis_url: str) -> FeedbackService | None:
    """Make the service where the settings ask for it.

    Raises:
        SettingError: if the database that they name cannot be used.
    """
    store = open_store(settings)
    if store is None:
        return None
    warn_of_loss(store.database)
    return FeedbackService(store, settings, redis_url)
