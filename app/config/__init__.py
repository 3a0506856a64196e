"""What the person who runs the app can choose, read strictly from the environment.

It imports nothing of the app.
"""

from app.config.readers import ROOT_PATH, SettingError
from app.config.settings import ROOT, Settings, explain, read_platform_number

__all__ = ["ROOT", "ROOT_PATH", "SettingError", "Settings", "explain", "read_platform_number"]
