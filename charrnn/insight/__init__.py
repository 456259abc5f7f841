"""What a model thinks: the choice behind a character, surprise, units, lanes, its younger selves, what it copies."""
