"""The errors of masks as pictures, in files, in the terminal and as thumbnails.

The one place where values become classes on the pixels.
"""
