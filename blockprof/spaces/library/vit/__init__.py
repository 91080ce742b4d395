"""Vision transformer blocks."""

from importlib.resources import files

from blockprof.spaces.library import register_folder

SPACE = register_folder(files(__name__))
