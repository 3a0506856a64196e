"""What visitors report of answers, and what fields were asked: signed, queued, kept in a database.

With feedback off nothing of it runs, and no driver of a database is imported. It may import
``telemetry`` and all below it.
"""
