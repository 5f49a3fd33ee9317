"""Second factors: proven, counted when they are not, and what they make of a login."""
