"""The paper's statements: `networks` they are tested on, `statements` and their numbers, `verdict`."""
