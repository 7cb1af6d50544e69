"""The rooms that touch the disk: storage, paths, tables, provenance."""
