"""Storage: the transaction and its tables (`interface`), and one module per database engine."""
