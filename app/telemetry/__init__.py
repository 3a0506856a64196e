"""What is recorded of requests and messages: log lines, metrics, health.

It may import ``limits`` and all below it.
"""
