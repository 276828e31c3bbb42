"""The hands: runs statements over files and returns Arrow tables.

The only room with a connection, a thread or a file that is written.
"""

from engine.engine import Answer, Compile, Engine
from engine.inspection import Inspection, inspect
from engine.opening import open_engine
from engine.settings import EngineSettings

__all__ = ["Answer", "Compile", "Engine", "EngineSettings", "Inspection", "inspect", "open_engine"]
