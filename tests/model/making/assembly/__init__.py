"""Parts in several files, put together and proved."""
