"""What the product does: its rules, without HTTP and without SQL text."""
