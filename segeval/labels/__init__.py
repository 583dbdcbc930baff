"""File values -> classes, always on the counts and never on the pixels.

A label map is loaded, inferred from the values found, or refused with what to type instead.
"""
