"""All results of a study in one page that opens offline: choose a run and an epoch."""
