"""The conventions of other tools, one row each, and what explains their differences."""
