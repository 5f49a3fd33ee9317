"""The objects of the wire and how each is made from what is stored."""
