"""gunicorn's side of the app: the worker, its memory, signals, draining, warming and reloading.

It may import every room of the app but ``cli``; nothing imports it but ``gunicorn.conf.py``.
"""
