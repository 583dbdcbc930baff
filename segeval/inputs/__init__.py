"""How data comes in: reading masks and pairing files."""
