"""The JSON API for programs: rows in, answers out, its OpenAPI document and its page for people.

It may import ``kinds`` and all rooms below it, but not ``pages``.
"""
