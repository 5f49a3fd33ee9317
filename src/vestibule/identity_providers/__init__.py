"""The vendors of identity providers: data about each, in one small file per vendor."""
