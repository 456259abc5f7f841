"""What of a text stands word for word in the training text: an index of that, and looking up in it. No torch here."""
