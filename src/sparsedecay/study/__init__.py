"""From a config to all that the workflow can be asked for."""
