"""The pages for people: routes of form, fragment, about and embed, and every error page.

It may import ``kinds`` and all rooms below it, but not ``api``.
"""
