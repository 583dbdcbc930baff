"""Scores -> documents -> what people read. Every report is a view of one document."""
