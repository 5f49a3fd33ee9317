"""What a person's browser visits: start, callback, metadata, and the plain pages around them."""
