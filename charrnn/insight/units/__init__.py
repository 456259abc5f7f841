"""Hidden units that mean something: what is inside a network, read off over a text, and what of the text it tells."""
