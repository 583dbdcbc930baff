"""One module a format: what it says of itself, and its samples as stored."""
