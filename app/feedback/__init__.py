"""What visitors report of answers, and what fields were asked: signed, queued, kept in a database.

With FORMCAST_FEEDBACK off nothing of it is imported. It may import ``telemetry`` and all below it.
"""
