"""Being alone in a folder, and on a cluster."""
