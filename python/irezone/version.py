"""The package's version, that of the program it came with."""

__version__ = "0.2.0"
