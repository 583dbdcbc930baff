"""The version of segeval, part of every signature."""

__version__ = "1.0.0"
