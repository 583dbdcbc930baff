"""One page without any request to the network: its data, its parts and its templates."""
