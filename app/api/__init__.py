"""The JSON API for programs: rows in, answers out, the OpenAPI text and its page for people.

It may import ``kinds`` and all below it, but not ``pages``.
"""
