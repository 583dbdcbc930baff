"""Pairs of arrays -> exact counts -> a `Run`, in memory and in one SQLite file.

A contingency table counts pairs of raw file values. Nothing here knows of classes or scores.
"""
