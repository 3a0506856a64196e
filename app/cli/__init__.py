"""The commands of ``flask --app wsgi``: ``model add, check, list, remove`` and ``settings``.

It may import every room of the app but ``server``, and the door of the models.
"""
